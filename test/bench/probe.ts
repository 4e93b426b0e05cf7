/** Loaded into the server's process before it starts (`node --import`): tells the driver, when asked, what the process has cost. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Figures of the server's process. */
export interface Figures {
  /** Microseconds of CPU, of all threads, since the process began. */
  readonly cpu: number;
  readonly rss: number;
  readonly heap: number;
  /** Milliseconds: the 99th percentile, and the longest, of how long events waited for the loop since the last `reset`. */
  readonly delayP99: number;
  readonly delayMax: number;
}

/** What may be asked: figures, figures from now on, or figures after a garbage collection. */
export type Question = 'read' | 'reset' | 'collect';

const resolution = 5;
const delay = monitorEventLoopDelay({ resolution });
delay.enable();

process.on('message', (question) => {
  if (question === 'collect') globalThis.gc?.();
  process.send?.(figures());
  if (question === 'reset') delay.reset();
});
process.channel?.unref();
// Nobody is left to end this process when the driver is gone.
process.on('disconnect', () => process.exit());

function figures(): Figures {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const waited = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
  return { cpu: user + system, rss, heap: heapUsed, delayP99: waited(delay.percentile(99)), delayMax: waited(delay.max) };
}
