import { type Static, Type } from 'typebox';
import { duration, object } from '../fields.js';

/** HTTPRouteTimeouts of the Gateway API (GEP-1742). */
export const timeouts = object(
  'How long calls may take. A rule may say its own in `rules[].timeouts`.',
  {
    request: Type.Optional(duration('How long a whole call may take, retries included, before the caller gets 504. `0s`, or left out: as long as it likes.')),
    backendRequest: Type.Optional(
      duration('How long one attempt may take before it counts as failed. `0s`, or left out: no limit of its own. At most `request`, unless that is `0s`.'),
    ),
  },
  {
    rule: "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))",
    field: 'backendRequest',
    message: 'must not be longer than request',
    remedy: 'shorten backendRequest, or lengthen request',
  },
);

/** The `timeouts` stanza. */
export type Timeouts = Static<typeof timeouts>;
