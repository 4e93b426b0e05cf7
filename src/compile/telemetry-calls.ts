/** Calls as telemetry sees them: which, from whom, to where. */
import { spiffeId } from '../model/spiffe.js';

/** Calls that go through one filter. */
export type Calls = {
  readonly protocol: 'http' | 'tcp';
  /** Further fields of the log (name to format string). They are labels of the counters too, so their values must be few. */
  readonly fields?: Readonly<Record<string, string>>;
} & (
  | {
      /** From the proxy's own app: the source is the proxy itself, the destination is told by the cluster, see `destinationMetadata`. */
      readonly direction: 'outbound';
    }
  | {
      /** To the proxy's own app: the source is the peer's certificate, or nobody for plaintext. */
      readonly direction: 'inbound';
      /** As `destinationName` gives it. */
      readonly destination: string;
    }
);

/** Calls, and the format strings of who takes part. */
export interface NamedCalls {
  readonly direction: 'inbound' | 'outbound';
  readonly protocol: 'http' | 'tcp';
  readonly source: string;
  readonly destination: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** The names of the variables in a proxy's environment that say who it is. The injector sets them. */
export const identityVariables = { namespace: 'POD_NAMESPACE', serviceAccount: 'POD_SERVICE_ACCOUNT' };

/** Who takes part, as format strings. */
export function nameCalls(calls: Calls, trustDomain: string): NamedCalls {
  return { fields: {}, ...calls, ...parties(calls, trustDomain) };
}

function parties(calls: Calls, trustDomain: string): Pick<NamedCalls, 'source' | 'destination'> {
  if (calls.direction === 'inbound') return { source: '%DOWNSTREAM_PEER_URI_SAN%', destination: calls.destination };
  const { namespace, serviceAccount } = identityVariables;
  const self = spiffeId(trustDomain, { namespace: `%ENVIRONMENT(${namespace})%`, serviceAccount: `%ENVIRONMENT(${serviceAccount})%` });
  return { source: self, destination: `%METADATA(CLUSTER:${metadataKey}:destination)%` };
}

/** The filter metadata by which a Cluster says what it leads to. */
export const metadataKey = 'weft';
