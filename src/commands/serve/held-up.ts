/** What keeps a replica from serving though it has read the cluster: told in its log, in its answer to /readyz and by an Event. */
import { createHash } from 'node:crypto';
import type { KubeClient } from '../../kubernetes/api.js';
import type { Diagnostic } from '../../model/diagnostic.js';
import { formatRef } from '../../model/name.js';
import type { Logger } from '../../observe/log.js';
import { postEvent } from '../../status/events.js';

/** Whom to tell, and as whom. */
export interface HeldUpOptions {
  readonly client: KubeClient;
  /** The name of this replica's pod. */
  readonly identity: string;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly onError: (error: unknown) => void;
}

/** What holds the replica up now. */
export interface HeldUp {
  /** Takes what is wrong with objects without which nothing is served; an empty list when they are mended. */
  readonly tell: (diagnostics: readonly Diagnostic[]) => void;
  /** In one line; undefined while nothing does. */
  readonly reason: () => string | undefined;
}

/** Nothing yet. */
export function createHeldUp({ logger, ...events }: HeldUpOptions): HeldUp {
  let reason: string | undefined;
  return {
    tell: (diagnostics) => {
      const [first] = diagnostics;
      reason = first && `not serving: ${[...new Set(diagnostics.map(lineOf))].join('. ')}`;
      if (!first || reason === undefined) return logger.info({}, 'what held this replica up is mended');
      logger.error({ diagnostics }, 'nothing is served until this object can be read; proxies keep what they have');
      const { kind, name } = first.object;
      // The same for the same words, whichever replica tells: the API server then refuses the second one.
      const digest = createHash('sha256').update(reason).digest('hex').slice(0, 16);
      const regarding = { apiVersion: 'weft.dev/v1alpha1', kind, name };
      void postEvent(events, { name: `${name}.${digest}`, reason: 'NotServing', action: 'Serve', note: reason, regarding });
    },
    reason: () => reason,
  };
}

function lineOf({ object, field, message, remedy }: Diagnostic): string {
  return `${formatRef(object)} ${field}: ${message}; ${remedy}`;
}
