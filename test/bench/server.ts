/** The server under test, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Figures, Question } from './probe.js';

/** A server that serves. */
export interface ServerUnderTest {
  readonly port: number;
  /** Milliseconds from its start until it served. */
  readonly startMs: number;
  readonly ask: (question: Question) => Promise<Figures>;
  /** The largest resident size so far, in bytes; 0 where the system does not tell. */
  readonly peakRss: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** How a server is started. */
export interface ServerOptions {
  readonly folder: string;
  /** The script's path and the arguments before `--manifests`. */
  readonly script: readonly string[];
  /** Options for Node itself: `--cpu-prof`. */
  readonly nodeOptions: readonly string[];
}

/** `weft serve`. */
export const weftServe: readonly string[] = [fileURLToPath(new URL('../../src/main.js', import.meta.url)), 'serve'];

const patienceMs = 60_000;
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server over a folder; resolves once it is ready. Rejects with what it has written when it ends before that. */
export async function startUnderTest({ folder, script: [script = '', ...before], nodeOptions }: ServerOptions): Promise<ServerUnderTest> {
  const [port, admin] = [await freePort(), await freePort()];
  const flags = ['--manifests', folder, '--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`];
  const node = ['--expose-gc', ...nodeOptions, '--import', new URL('./probe.js', import.meta.url).href];
  const begin = performance.now();
  const child = spawn(process.execPath, [...node, script, ...before, ...flags], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const log = collect(child);
  await ready(child, admin, log);
  return {
    port,
    startMs: performance.now() - begin,
    ask: (question) => ask(child, question),
    peakRss: () => peakRss(child.pid ?? 0),
    stop: () => stop(child),
  };
}

/**
 * A port that nobody listens on. Not one that the system gives to outgoing connections: a server that reads a large mesh listens
 * only after many seconds, and by then it would be taken.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
}

/** The last that the process has written to standard error. */
function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = `${text}${piece}`.slice(-4000);
  });
  return () => text;
}

async function ready(child: ChildProcess, admin: number, log: () => string): Promise<void> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(20)) {
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}:\n${log()}`);
    const response = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    if (response?.ok) return;
  }
  throw new Error(`the server was not ready after ${patienceMs / 1000} s:\n${log()}`);
}

async function ask(child: ChildProcess, question: Question): Promise<Figures> {
  const answer = once(child, 'message', { signal: AbortSignal.timeout(patienceMs) });
  child.send(question);
  const [figures]: readonly unknown[] = await answer;
  if (!isFigures(figures)) throw new Error(`the server answered ${JSON.stringify(figures)}`);
  return figures;
}

function isFigures(value: unknown): value is Figures {
  return typeof value === 'object' && value !== null && 'cpu' in value;
}

async function peakRss(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}
