/** Follows a cluster: every kind by itself, and the changes of all of them in one stream. */
import { setMaxListeners } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from '../../kubernetes/api.js';
import type { Diagnostic } from '../../model/diagnostic.js';
import type { Change, Parsers } from '../change.js';
import { compareText } from '../store/order.js';
import { type Clock, systemClock } from './clock.js';
import { createKindContents } from './contents.js';
import { createDelivery } from './delivery.js';
import { beat } from './heartbeat.js';
import { type KindState, type Reflector, startReflector } from './reflector.js';

/** What to follow, and whom to tell. */
export interface ClusterOptions {
  readonly client: KubeClient;
  /** Each kind in the table is followed, in all namespaces. */
  readonly parsers: Parsers;
  /** Called once when every kind has synced, even without objects, and then whenever objects change, with the changes since the last call. */
  readonly onChange: (changes: readonly Change[]) => void;
  /** Called with all that is wrong whenever that changes, before the `onChange` that belongs to it. The first time an empty list is no change. */
  readonly onDiagnostics?: ((diagnostics: readonly Diagnostic[]) => void) | undefined;
  /** Called when what must be read before anything is handed on is broken, and whenever that differs; with an empty list when it is mended. */
  readonly onHeldUp?: ((diagnostics: readonly Diagnostic[]) => void) | undefined;
  /** Called when a kind begins or ceases to be followed, or the reason why it is not changes: for the log. */
  readonly onState?: ((state: KindState) => void) | undefined;
  /** Time and chance; the machine's own unless given. */
  readonly clock?: Clock | undefined;
}

/** A cluster that is being followed. */
export interface ClusterWatch {
  /** Resolves after the first call of `onChange`, or when the watch is closed before that. A kind that is not installed is waited for. */
  readonly ready: Promise<void>;
  /** How it stands with each kind now, in the order of the table. */
  readonly state: () => readonly KindState[];
  /** What is broken that must be read before anything is handed on. */
  readonly heldUp: () => readonly Diagnostic[];
  /** Ends it; nothing is called back any more. */
  readonly close: () => Promise<void>;
}

/**
 * Begins to follow a cluster. Never fails: what is wrong is in the states, and is tried again until it works. While the API
 * server is away, and while an object is broken, what was good before stays in force.
 */
export function watchCluster(options: ClusterOptions): ClusterWatch {
  const { client, parsers, clock = systemClock } = options;
  const closing = new AbortController();
  // Each kind listens to it, however many there are.
  setMaxListeners(0, closing.signal);
  const ready = latch();
  const kinds = Object.entries(parsers).map(([id, parser]) => ({ id, contents: createKindContents(parser, () => noteProblem()) }));
  const problems = followDiagnostics(() => kinds.flatMap(({ contents }) => [...contents.diagnostics.values()].flat()));
  const noteProblem = () => {
    problems.touch();
    delivery.touch();
  };
  const unsynced = new Set(Object.keys(parsers));
  const heldUp = followDiagnostics(() => (ready.isOpen() ? [] : kinds.flatMap(({ contents }) => contents.vital())));
  const begin = () => {
    if (unsynced.size > 0 || ready.isOpen()) return;
    heldUp.touch();
    const found = heldUp.settle();
    if (found) options.onHeldUp?.(found);
    if (heldUp.last().length === 0) delivery.open();
  };

  const delivery = createDelivery((changes) => {
    const found = problems.settle();
    if (found) options.onDiagnostics?.(found);
    if (changes.length > 0 || !ready.isOpen()) options.onChange(changes);
    ready.open();
  });

  const reflectors: readonly Reflector[] = kinds.map(({ id, contents }) =>
    startReflector({
      ...{ id, client, contents, clock, signal: closing.signal },
      onChanges: (changes) => {
        delivery.add(changes);
        begin();
      },
      onState: (state) => {
        // What one kind can do again, the others can too: they do not wait out their failures.
        if (state.following) for (const reflector of reflectors) reflector.wake();
        options.onState?.(state);
      },
      onSynced: () => {
        unsynced.delete(id);
        begin();
      },
    }),
  );
  const beating = beat({ client, clock, reflectors, signal: closing.signal });

  return {
    ready: ready.promise,
    state: () => reflectors.map((reflector) => reflector.state()),
    heldUp: heldUp.last,
    close: async () => {
      closing.abort();
      delivery.close();
      await Promise.all([beating, ...reflectors.map(({ done }) => done)]);
      ready.open();
    },
  };
}

interface Problems {
  /** Something about them may differ. */
  readonly touch: () => void;
  /** All of them, sorted, when they differ from those of the last call. */
  readonly settle: () => readonly Diagnostic[] | undefined;
  readonly last: () => readonly Diagnostic[];
}

function followDiagnostics(collect: () => readonly Diagnostic[]): Problems {
  let last: readonly Diagnostic[] = [];
  let isTouched = false;
  return {
    touch: () => {
      isTouched = true;
    },
    settle: () => {
      if (!isTouched) return undefined;
      isTouched = false;
      const now = [...collect()].sort((a, b) => compareText(placeOf(a), placeOf(b)));
      if (isDeepStrictEqual(now, last)) return undefined;
      last = now;
      return now;
    },
    last: () => last,
  };
}

function placeOf({ object, field }: Diagnostic): string {
  return `${object.kind} ${object.namespace}/${object.name} ${field}`;
}

interface Latch {
  readonly promise: Promise<void>;
  readonly open: () => void;
  readonly isOpen: () => boolean;
}

function latch(): Latch {
  let isOpen = false;
  let resolvePromise: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    resolvePromise = resolve;
  });
  return {
    promise,
    isOpen: () => isOpen,
    open: () => {
      isOpen = true;
      resolvePromise();
    },
  };
}
