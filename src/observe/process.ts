/** What the process itself costs. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** CPU seconds since the start, bytes of memory, and how long events have waited for the loop. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly eventLoopDelayP99Ms: number;
  readonly uptimeSeconds: number;
}

/** Begins to watch the event loop; each call of the result reads all figures. */
export function watchProcess(): () => ProcessFigures {
  const resolution = 10;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  return () => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const p99 = Math.max(0, delay.percentile(99) / 1e6 - resolution);
    return { cpuSeconds: (user + system) / 1e6, rssBytes: rss, heapBytes: heapUsed, eventLoopDelayP99Ms: p99, uptimeSeconds: process.uptime() };
  };
}
