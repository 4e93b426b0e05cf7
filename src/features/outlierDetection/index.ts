/** `outlierDetection`: endpoints that fail are left alone for a while. */
import { type Static, Type } from 'typebox';
import { millis, optionalDuration } from '../duration.js';
import { type BackendContext, type ClusterParts, type Feature, type StanzaProblem, stanzaError } from '../feature.js';
import { duration, object, percentage, whole } from '../fields.js';
import { defined } from '../fragment.js';

const errors = { min: 0, max: 1_000_000 } as const;
const span = { min: '1ms', max: '1h' } as const;

const fields = {
  consecutive5xxErrors: Type.Optional(whole('After so many answers 5xx (or none at all) in a row. 0: these do not count.', { ...errors, default: 5 })),
  consecutiveGatewayErrors: Type.Optional(
    whole('After so many answers 502, 503 or 504 (or none at all) in a row. 0: these do not count.', { ...errors, default: 0 }),
  ),
  interval: Type.Optional(duration('How often it is looked which endpoints may come back.', { ...span, default: '10s' })),
  baseEjectionTime: Type.Optional(duration('How long the first ejection lasts; each further one lasts so much longer.', { ...span, default: '30s' })),
  maxEjectionTime: Type.Optional(duration('How long an ejection lasts at most. Left out: 5m, or `baseEjectionTime` if that is longer.', span)),
  maxEjectionPercent: Type.Optional(
    percentage('How many of a hundred endpoints may be ejected at once; one may be, however few there are, unless this is 0.', { default: 10 }),
  ),
};

const schema = object('Endpoints that fail again and again are ejected: no calls go to them for a while. Judged by each calling proxy for itself.', fields, {
  rule: '!has(self.maxEjectionTime) || duration(self.maxEjectionTime) >= duration(self.baseEjectionTime)',
  field: 'maxEjectionTime',
  message: 'must not be shorter than baseEjectionTime, which is 30s unless it is set',
  remedy: 'lengthen maxEjectionTime, or shorten baseEjectionTime',
});

type OutlierDetection = Static<typeof schema>;

/** The `outlierDetection` stanza. */
export const feature: Feature<'outlierDetection', typeof schema> = { name: 'outlierDetection', side: 'Client', schema, cluster, check };

/**
 * Envoy's statistical detection (success rate) is switched off: it is on by default there, and ejects without a field that says so.
 * Proxyless gRPC has no detection by consecutive errors (gRFC A50), so it gets nothing.
 */
function cluster(stanza: OutlierDetection, { client }: BackendContext): ClusterParts {
  if (client === 'grpc') return {};
  const { consecutive5xxErrors = 5, consecutiveGatewayErrors = 0, interval, baseEjectionTime, maxEjectionTime, maxEjectionPercent } = stanza;
  return {
    cluster: {
      outlier_detection: {
        ...consecutive5xx(consecutive5xxErrors),
        ...consecutiveGateway(consecutiveGatewayErrors),
        enforcing_success_rate: 0,
        ...defined({
          interval: optionalDuration(interval),
          base_ejection_time: optionalDuration(baseEjectionTime),
          max_ejection_time: optionalDuration(maxEjectionTime),
          max_ejection_percent: maxEjectionPercent,
          always_eject_one_host: maxEjectionPercent === 0 ? undefined : true,
        }),
      },
    },
  };
}

function consecutive5xx(errors: number) {
  return errors > 0 ? { consecutive_5xx: errors, enforcing_consecutive_5xx: 100 } : { enforcing_consecutive_5xx: 0 };
}

function consecutiveGateway(errors: number) {
  return errors > 0 ? { consecutive_gateway_failure: errors, enforcing_consecutive_gateway_failure: 100 } : {};
}

/** Envoy refuses a Cluster that has it so. */
function check({ baseEjectionTime = '30s', maxEjectionTime }: OutlierDetection): readonly StanzaProblem[] {
  if (maxEjectionTime === undefined || millis(maxEjectionTime) >= millis(baseEjectionTime)) return [];
  const message = `must not be shorter than baseEjectionTime, which is ${baseEjectionTime}`;
  return [stanzaError('maxEjectionTime', maxEjectionTime, message, 'lengthen maxEjectionTime, or shorten baseEjectionTime')];
}
