/** An API server that does what a test says, and a clock that stands still until the test moves it. */
import { setImmediate } from 'node:timers/promises';
import { type KubeClient, KubeError, type KubeRequest, type WatchEvent } from '../../src/kubernetes/api.js';
import type { Clock } from '../../src/sources/kubernetes/clock.js';

/** A watch that a client holds open. */
export interface OpenWatch {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly send: (event: WatchEvent) => void;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}

/** The scripted API server. */
export interface ScriptedCluster {
  readonly client: KubeClient;
  /** Answers GET requests; may throw. */
  answer: (request: KubeRequest) => unknown;
  /** May throw, to refuse a watch. */
  accept: (path: string, query: Readonly<Record<string, string>>) => void;
  /** Every request so far: `GET /api/v1/services?limit=500`, `WATCH /api/v1/services 7`. */
  readonly log: readonly string[];
  /** The watches that are open now, oldest first. */
  readonly watches: () => readonly OpenWatch[];
}

/** An API server whose collections are empty, at version 1. */
export function createScriptedCluster(): ScriptedCluster {
  const log: string[] = [];
  const open = new Set<OpenWatch>();
  const cluster = {
    log,
    watches: () => [...open],
    answer: (_request: KubeRequest): unknown => list('1'),
    accept: (_path: string, _query: Readonly<Record<string, string>>): void => undefined,
  };
  const client: KubeClient = {
    server: 'https://scripted',
    request: async (request) => {
      log.push(`GET ${request.path}?${new URLSearchParams(request.query)}`);
      return cluster.answer(request);
    },
    watch: async (path, query, onEvent, signal, onOpen) => {
      log.push(`WATCH ${path} ${query['resourceVersion']}`);
      cluster.accept(path, query);
      onOpen?.();
      await new Promise<void>((resolve, reject) => {
        const close = (then: () => void) => () => {
          open.delete(watch);
          then();
        };
        const watch: OpenWatch = { path, query, send: onEvent, end: close(resolve), fail: (error) => close(() => reject(error))() };
        open.add(watch);
        signal.addEventListener('abort', close(resolve), { once: true });
      });
    },
  };
  return Object.assign(cluster, { client });
}

/** An answer to a list. */
export function list(resourceVersion: string, items: readonly object[] = [], next = ''): object {
  return { metadata: { resourceVersion, continue: next }, items };
}

/** What the API server says to a version that it has forgotten. */
export function expired(): KubeError {
  return new KubeError(410, 'Expired', 'The resourceVersion for the provided watch is too old.');
}

/** A clock that a test moves. */
export interface TestClock extends Clock {
  /** Lets so much time pass, and all that it sets off happen. */
  readonly advance: (ms: number) => Promise<void>;
  /** How long the sleeps were that were asked for, in order. */
  readonly sleeps: readonly number[];
}

/** A clock at 0; chance always says `luck`. */
export function createTestClock(luck = 0.5): TestClock {
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  const sleeps: number[] = [];
  let now = 0;
  const advance = async (ms: number) => {
    const end = now + ms;
    await settle();
    for (;;) {
      const [next] = [...sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      now = next.at;
      next.wake();
      await settle();
    }
    now = end;
  };
  return {
    ...{ now: () => now, random: () => luck, advance, sleeps },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        sleeps.push(ms);
        const wake = () => {
          sleepers.delete(sleeper);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { at: now + ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener('abort', wake, { once: true });
        if (signal.aborted) wake();
      }),
  };
}

/** Lets everything happen that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await setImmediate();
}
