/** What a contender for a Lease does next, as client-go's leader election decides it. Pure. */

/** The rules of the contest, in milliseconds. Whoever holds must be sure to have stepped down before another may take over. */
export interface LeaseRules {
  /** So long a Lease that is not renewed still belongs to its holder, in the eyes of others. */
  readonly durationMs: number;
  /** So long after its last renewal the holder considers itself one. Less than `durationMs`. */
  readonly renewDeadlineMs: number;
  /** How often the holder renews, and the others look. */
  readonly retryMs: number;
}

/** Those of client-go. */
export const defaultRules: LeaseRules = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/** What a Lease object said when it was looked at. */
export interface SeenLease {
  /** Empty when it belongs to nobody. */
  readonly holder: string;
  readonly durationMs: number;
  /** Changes whenever anybody writes the object. */
  readonly version: string;
  /** When this contender first saw this version, by its own clock: that of others is not trusted. */
  readonly seenAt: number;
}

/** `renew` or `take`: write the Lease, with oneself as the holder; `wait`: somebody else has it. */
export type LeaseMove = 'renew' | 'take' | 'wait';

/** Decides by what was seen last. */
export function decide(identity: string, seen: SeenLease, now: number): LeaseMove {
  if (seen.holder === identity) return 'renew';
  if (seen.holder === '') return 'take';
  return now - seen.seenAt >= seen.durationMs ? 'take' : 'wait';
}

/** Whether one who has begun its last successful renewal at `renewedAt` may still act as the holder. */
export function isHolding(renewedAt: number | undefined, rules: LeaseRules, now: number): boolean {
  return renewedAt !== undefined && now - renewedAt < rules.renewDeadlineMs;
}
