/** Limits on calls, as Envoy's local_ratelimit keeps them: a call has descriptors, and each kind of descriptor has buckets. */
import { type HttpFilter, type Message, typed } from '../../envoy/types.js';
import type { ServerContext } from '../feature.js';
import { callsOf } from './calls.js';
import { type Descriptor, descriptorsOf } from './descriptor.js';
import { type ScopedLimit, toBucket } from './scoped-limit.js';

type Config = Message<'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'>;

/** How many values of a key have a bucket at once; the one not used for longest makes room, and begins anew with a full one. */
const bucketsAtMost = 4096;

const always = { default_value: { numerator: 100 } } as const;
const never = { default_value: { numerator: 0 } } as const;

/** The filters that keep these limits: one for all that are in force, and before it one for each in Shadow mode, so that each is counted and none stands for another. */
export function httpFilters(limits: readonly ScopedLimit[], hasHeaders: boolean, context: ServerContext): readonly HttpFilter[] {
  const [shadow, live] = [limits.filter(({ isShadow }) => isShadow), limits.filter(({ isShadow }) => !isShadow)];
  const common: Config = {
    stat_prefix: `${context.service}.${context.namespace}.${context.port}`,
    filter_enforced: always,
    rate_limited_as_resource_exhausted: true,
    enable_retry_after_header: true,
    ...(hasHeaders ? { enable_x_ratelimit_headers: 'DRAFT_VERSION_03' } : {}),
  };
  return [
    ...shadow.map((limit) =>
      filter(`weft.ratelimit.shadow.${limit.id}`, [limit], context, { stat_prefix: `weft.rate_limit_shadow.${limit.id}`, filter_enforced: never }),
    ),
    ...(live.length > 0 ? [filter('weft.ratelimit', live, context, common)] : []),
  ];
}

function filter(name: string, limits: readonly ScopedLimit[], context: ServerContext, more: Config): HttpFilter {
  const counted = limits.map((limit) => ({ limit, descriptors: descriptorsOf(limit.rule, context) }));
  return {
    name,
    typed_config: typed('envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit', {
      filter_enabled: always,
      token_bucket: endless,
      always_consume_default_token_bucket: false,
      max_dynamic_descriptors: bucketsAtMost,
      rate_limits: counted.flatMap(({ limit, descriptors }) => descriptors.map((descriptor) => givenTo(limit, descriptor))),
      descriptors: counted.flatMap(({ limit, descriptors }) => descriptors.map((descriptor) => limitedBy(limit, descriptor))),
      ...more,
    }),
  };
}

/** For calls that no rule matches; Envoy must have one. */
const endless = { max_tokens: 4_294_967_295, tokens_per_fill: 4_294_967_295, fill_interval: '1s' } as const;

/** What gives a call the descriptor. */
function givenTo({ id, rule }: ScopedLimit, { headers, action }: Descriptor): Message<'envoy.config.route.v3.RateLimit'> {
  const isMatched = { header_value_match: { descriptor_key: 'rule', descriptor_value: id, headers: [...callsOf(rule), ...headers] } };
  return { actions: action ? [isMatched, action] : [isMatched] };
}

/** The bucket of the descriptor; an entry without a value has one for each value that comes. */
function limitedBy({ id, rule }: ScopedLimit, { key }: Descriptor): Message<'envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor'> {
  return { entries: [{ key: 'rule', value: id }, ...(key ? [key] : [])], token_bucket: toBucket(rule.limit) };
}
