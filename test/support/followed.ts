/** What the following of a cluster hands on, recorded. */
import type { KubeClient } from '../../src/kubernetes/api.js';
import type { Diagnostic } from '../../src/model/diagnostic.js';
import type { Change, Parsers } from '../../src/sources/change.js';
import type { Clock } from '../../src/sources/kubernetes/clock.js';
import { type KindState, watchCluster } from '../../src/sources/kubernetes.js';
import type { Cleanup } from './envoy.js';

/** A cluster that is being followed, and all that was heard of it. */
export interface Followed {
  readonly ready: Promise<void>;
  /** Each call of `onChange`. */
  readonly batches: readonly (readonly Change[])[];
  /** What is in force by what was heard, by `Kind key`. */
  readonly held: ReadonlyMap<string, unknown>;
  readonly diagnostics: () => readonly Diagnostic[];
  /** The fields that held everything up, each time that was told; an empty text when nothing did any more. */
  readonly heldUp: readonly string[];
  readonly state: (kind: string) => KindState | undefined;
  /** Resolves as soon as the condition holds, which is looked at whenever something is heard. */
  readonly until: (condition: () => boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Follows a cluster until the test ends. */
export function follow(test: Cleanup, client: KubeClient, parsers: Parsers, clock?: Clock): Followed {
  const batches: (readonly Change[])[] = [];
  const held = new Map<string, unknown>();
  const waiting = new Set<() => void>();
  const heldUp: string[] = [];
  let diagnostics: readonly Diagnostic[] = [];
  const heard = () => {
    for (const look of waiting) look();
  };
  const watch = watchCluster({
    ...{ client, parsers, clock },
    onChange: (changes) => {
      batches.push(changes);
      for (const { kind, key, object } of changes) {
        if (object) held.set(`${kind} ${key}`, object);
        else held.delete(`${kind} ${key}`);
      }
      heard();
    },
    onDiagnostics: (all) => {
      diagnostics = all;
      heard();
    },
    onHeldUp: (found) => {
      heldUp.push(found.map(({ field }) => field).join());
      heard();
    },
    onState: heard,
  });
  test.after(() => watch.close());
  return {
    ...{ ready: watch.ready, close: watch.close, batches, held, heldUp },
    diagnostics: () => diagnostics,
    state: (kind) => watch.state().find(({ id }) => id.endsWith(`/${kind}`)),
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
