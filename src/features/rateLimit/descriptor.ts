import { type Message, typed } from '../../envoy/types.js';
import type { ServerContext } from '../feature.js';
import type { Rule } from './schema.js';

/** One kind of descriptor that a rule gives to calls, and by which its buckets are told apart. */
export interface Descriptor {
  /** Further headers that a call must have for it. */
  readonly headers: readonly Message<'envoy.config.route.v3.HeaderMatcher'>[];
  /** What of the call is the key; left out where all calls share a bucket. */
  readonly action?: Message<'envoy.config.route.v3.RateLimit.Action'>;
  readonly key?: Message<'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry'>;
}

/** The descriptors of a rule; a call gets one of them at most. */
export function descriptorsOf({ key = 'Route', header }: Rule, { isMtls }: ServerContext): readonly Descriptor[] {
  if (key === 'ClientIdentity' && isMtls) return [byIdentity];
  return key === 'Header' && header ? byHeader(header.name) : [shared];
}

const shared: Descriptor = { headers: [] };

/** What the certificate says: one ServiceAccount, whichever pod and whichever of its certificates. */
const byIdentity: Descriptor = {
  headers: [],
  action: {
    extension: {
      name: 'envoy.rate_limit_descriptors.expr',
      typed_config: typed('envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor', {
        descriptor_key: 'caller',
        text: 'connection.uri_san_peer_certificate',
      }),
    },
  },
  key: { key: 'caller' },
};

/** Callers choose the value, so one that is long is kept nowhere: it shares a bucket with what has none. */
function byHeader(name: string): readonly Descriptor[] {
  const isShort = { name, string_match: { safe_regex: { regex: '.{1,256}' } } };
  return [
    { headers: [isShort], action: { request_headers: { header_name: name, descriptor_key: 'header' } }, key: { key: 'header' } },
    {
      headers: [{ ...isShort, invert_match: true, treat_missing_header_as_empty: true }],
      action: { generic_key: { descriptor_key: 'none', descriptor_value: 'header' } },
      key: { key: 'none', value: 'header' },
    },
  ];
}
