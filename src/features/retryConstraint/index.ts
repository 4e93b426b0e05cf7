/** `retryConstraint`: how much of the load may be retries (GEP-3388, the RetryConstraint of XBackendTrafficPolicy). */
import { type Static, Type } from 'typebox';
import { envoyDuration, millis } from '../duration.js';
import type { BackendContext, ClusterParts, Feature } from '../feature.js';
import { duration, object, percentage, whole } from '../fields.js';

const interval = { min: '1s', max: '1h' } as const;

const budget = object('Retries as a share of the calls.', {
  percent: Type.Optional(percentage('How many retries may be under way, for a hundred calls that began within the interval.', { default: 20 })),
  interval: Type.Optional(duration('Over which time calls are counted.', { ...interval, default: '10s' })),
});

const minRetryRate = object(
  'How many retries are allowed whatever the budget. Envoy limits retries under way, not retries in a time: as many may be under way as this rate starts in a second.',
  {
    count: Type.Optional(whole('So many retries ...', { min: 1, max: 1_000_000, default: 10 })),
    interval: Type.Optional(duration('... in this time.', { ...interval, default: '1s' })),
  },
);

const schema = object(
  'How much of the load on a Service may be retries, so that they do not pile up when it fails. Counted by each calling proxy for itself.',
  {
    budget: Type.Optional(budget),
    minRetryRate: Type.Optional(minRetryRate),
  },
);

type RetryConstraint = Static<typeof schema>;

/** The `retryConstraint` stanza. */
export const feature: Feature<'retryConstraint', typeof schema> = { name: 'retryConstraint', side: 'Client', schema, cluster };

/** Proxyless gRPC has no retry budget. */
function cluster({ budget: { percent = 20, interval: window = '10s' } = {}, minRetryRate: rate }: RetryConstraint, { client }: BackendContext): ClusterParts {
  if (client === 'grpc') return {};
  return {
    thresholds: {
      retry_budget: {
        budget_percent: { value: percent },
        budget_interval: envoyDuration(window),
        min_retry_concurrency: perSecond(rate?.count, rate?.interval),
      },
    },
  };
}

function perSecond(count = 10, window = '1s'): number {
  return Math.ceil((count * 1000) / millis(window));
}
