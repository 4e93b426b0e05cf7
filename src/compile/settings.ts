/** What holds for the whole mesh and does not change while Weft runs. */
export interface MeshSettings {
  /** The ranges that Service and pod addresses come from; traffic to other addresses passes through untouched. */
  readonly meshCidrs: readonly string[];
  /** The domain of the cluster's DNS. */
  readonly clusterDomain: string;
  /** Whether pods have IPv6 addresses: the listeners then take IPv6 connections too. */
  readonly ipv6: boolean;
  /** Whether there is an authority that gives sidecars their certificates: meshed pods then call each other over mutual TLS. */
  readonly mtls: boolean;
}

/** The private ranges of RFC 1918, RFC 6598 and RFC 4193, where clusters have their addresses. */
export const defaultSettings: MeshSettings = {
  meshCidrs: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fd00::/8'],
  clusterDomain: 'cluster.local',
  ipv6: true,
  mtls: false,
};
