import { type Static, Type } from 'typebox';
import { duration, list, object, whole } from '../fields.js';

const code = whole('A status code.', { min: 400, max: 599 });

/** HTTPRouteRetry of the Gateway API (GEP-1731). */
export const retry = object('Which failed calls are tried again, how often and how soon. A rule may say its own in `rules[].retry`.', {
  codes: Type.Optional(
    list('Status codes after which a call is tried again. An attempt that gets no answer (no connection, a reset, a timeout) is always tried again.', code, {
      max: 32,
      type: 'set',
    }),
  ),
  attempts: Type.Optional(whole('How many times a call is tried again at most. 0: never.', { min: 0, max: 16, default: 1 })),
  backoff: Type.Optional(
    duration(
      'The longest wait before the first retry: Envoy waits for a random time up to this, which doubles with each retry, to ten times as long at most.',
      {
        min: '1ms',
        max: '1m',
        default: '25ms',
      },
    ),
  ),
});

/** The `retry` stanza. */
export type Retry = Static<typeof retry>;
