/** Tells in time that an authority ends: in the log, as an Event, as a condition of the Mesh, as a metric. */
import { createHash } from 'node:crypto';
import type { Ca } from '../../identity/ca.js';
import { type ExpiryNotice, expiryOf, noticeOf } from '../../identity/expiry.js';
import type { Logger } from '../../observe/log.js';
import type { Family } from '../../observe/metrics.js';
import type { Warning } from '../../status/events.js';
import type { Condition } from '../../status/facts.js';

/** An authority, and where it is. */
export interface WatchedAuthority {
  /** As people call it: `Secret weft-system/weft-ca`. */
  readonly place: string;
  /** The name of its Secret, for the metric. */
  readonly secret: string;
  readonly ca: Pick<Ca, 'current' | 'onChange'>;
}

/** What is watched, and who is told. */
export interface CaExpiryOptions {
  readonly authorities: readonly WatchedAuthority[];
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Tells an Event; false when it has to be told again. Left out where there is no cluster. */
  readonly tellEvent?: ((warning: Pick<Warning, 'name' | 'reason' | 'action' | 'note'>, secret: string) => Promise<boolean>) | undefined;
  /** How often it is looked, in milliseconds; an hour unless given. */
  readonly intervalMs?: number | undefined;
}

/** The watch. */
export interface CaExpiry {
  /** Of the Mesh, by the first authority: whether it still is one, and whether for long. */
  readonly condition: (observedGeneration: number) => Condition;
  /** Another number whenever the condition may be another. */
  readonly revision: () => number;
  readonly families: readonly Family[];
  readonly close: () => void;
}

const hourMs = 60 * 60_000;

/** Looks now, after each change of an authority, and every hour. */
export function watchCaExpiry(options: CaExpiryOptions): CaExpiry {
  const { authorities, clock, intervalMs = hourMs } = options;
  const told = new Set<string>();
  const noticeFor = ({ ca, place }: WatchedAuthority) => {
    const expiry = expiryOf(ca.current());
    return expiry && noticeOf(expiry, place, clock());
  };
  let last = '';
  let revision = 0;
  const look = () => {
    const notices = authorities.map(noticeFor);
    const seen = notices.map((notice) => notice?.message).join();
    if (seen !== last) revision++;
    last = seen;
    for (const [index, notice] of notices.entries()) if (notice) void tell(options, told, notice, authorities[index]?.secret ?? '');
  };
  look();
  const timer = setInterval(look, intervalMs).unref();
  const stops = authorities.map(({ ca }) => ca.onChange(look));
  return {
    condition: (observedGeneration) => conditionOf(authorities[0] && noticeFor(authorities[0]), observedGeneration),
    revision: () => revision,
    families: [family(authorities)],
    close: () => {
      clearInterval(timer);
      for (const stop of stops) stop();
    },
  };
}

/** Each notice once in the log, and as an Event until it is taken. */
async function tell({ logger, tellEvent }: CaExpiryOptions, told: Set<string>, { days, message, notAfter }: ExpiryNotice, secret: string): Promise<void> {
  const event = `event ${message}`;
  if (!told.has(message)) logger[days <= 1 ? 'error' : 'warn']({ secret, days, expires: new Date(notAfter).toISOString() }, message);
  told.add(message);
  if (!tellEvent || told.has(event)) return;
  told.add(event);
  // The same name from every replica, so that the API server takes one.
  const name = `${secret}.${createHash('sha256').update(message).digest('hex').slice(0, 16)}`;
  const reason = days === 0 ? 'AuthorityExpired' : 'AuthorityExpiresSoon';
  if (!(await tellEvent({ name, reason, action: 'Renew', note: message }, secret))) told.delete(event);
}

function conditionOf(notice: ExpiryNotice | undefined, observedGeneration: number): Condition {
  const common = { type: 'AuthorityValid', observedGeneration } as const;
  if (!notice) return { ...common, status: 'True', reason: 'Valid', message: 'the authority that signs certificates is good for more than 30 days' };
  const [status, reason] = notice.days === 0 ? (['False', 'Expired'] as const) : (['True', 'ExpiresSoon'] as const);
  return { ...common, status, reason, message: notice.message };
}

function family(authorities: readonly WatchedAuthority[]): Family {
  return {
    name: 'weft_ca_expires_timestamp_seconds',
    help: 'When the first certificate ends without which the authority in this Secret cannot sign, in seconds since 1970.',
    type: 'gauge',
    labels: ['secret'],
    read: () =>
      authorities.flatMap(({ secret, ca }) => {
        const expiry = expiryOf(ca.current());
        return expiry ? [{ labels: { secret }, value: expiry.notAfter / 1000 }] : [];
      }),
  };
}
