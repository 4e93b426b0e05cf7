/** The bootstrap of a sidecar: who it is, where its control plane is, how it shows its health; everything else comes over ADS. */
import type { Bootstrap, ConfigSource, Node } from '../envoy/types.js';
import { plaintextMemory } from '../model/plaintext.js';
import { type HealthOptions, healthListener } from './bootstrap-health.js';
import { leanStats } from './bootstrap-stats.js';
import { type ControlPlane, controlPlaneCluster } from './bootstrap-xds.js';

/** Who a proxy is. What it may have is decided by its credential; this only says for whom to compile. */
export interface ProxyIdentity {
  /** Undefined, as is `pod`, where it is not known yet: then whoever starts Envoy gives the node's id as `--service-node namespace/pod`. */
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
  readonly serviceAccount: string;
  /** The labels of the pod, by which policies select. */
  readonly labels: Readonly<Record<string, string>>;
  /** Topology zone; empty when unknown. */
  readonly zone: string;
  /** `captured`: the pod's traffic is redirected to this Envoy; `explicit`: the app calls it as an HTTP proxy on `explicitPort`. */
  readonly client: 'captured' | 'explicit';
  /** The port of the HTTP proxy, on loopback; for `explicit` only. */
  readonly explicitPort?: number | undefined;
}

/** What a bootstrap is made from. */
export interface BootstrapOptions {
  readonly proxy: ProxyIdentity;
  readonly controlPlane: ControlPlane;
  /** Path of the unix socket of Envoy's admin interface; without one there is neither the interface nor the health listener. */
  readonly adminSocket?: string | undefined;
  /** The listener for probes and metrics, on {@link HealthOptions} of its own or the defaults; `false` for none. */
  readonly health?: HealthOptions | false | undefined;
  /** `lean` (the default) keeps the statistics of destinations and of the process; `all` keeps Envoy's hundred a cluster. */
  readonly stats?: 'lean' | 'all' | undefined;
}

/** The bootstrap for `envoy --config-yaml` (JSON is YAML). A function of its argument alone. */
export function bootstrap(options: BootstrapOptions): Bootstrap {
  const { adminSocket, health = {} } = options;
  const shown = adminSocket !== undefined && health !== false ? healthListener(adminSocket, health) : undefined;
  return {
    node: node(options.proxy),
    ...(adminSocket === undefined ? {} : { admin: { address: { pipe: { path: adminSocket } } } }),
    dynamic_resources: dynamicResources,
    static_resources: {
      clusters: [controlPlaneCluster(options.controlPlane), ...(shown?.clusters ?? [])],
      ...(shown ? { listeners: [shown.listener] } : {}),
    },
    layered_runtime: { layers: [{ name: 'static', static_layer: runtime }] },
    deferred_stat_options: { enable_deferred_creation_stats: true },
    stats_eviction_interval: `${plaintextMemory}s`,
    ...(options.stats === 'all' ? {} : { stats_config: leanStats }),
  };
}

function node(proxy: ProxyIdentity): Node {
  const name = proxy.namespace === undefined || proxy.pod === undefined ? undefined : { namespace: proxy.namespace, pod: proxy.pod };
  return {
    ...(name ? { id: `${name.namespace}/${name.pod}` } : {}),
    cluster: proxy.serviceAccount,
    metadata: {
      ...name,
      serviceAccount: proxy.serviceAccount,
      labels: proxy.labels,
      client: proxy.client,
      ...(proxy.explicitPort === undefined ? {} : { explicitPort: proxy.explicitPort }),
    },
    ...(proxy.zone ? { locality: { zone: proxy.zone } } : {}),
  };
}

/** Waits for its answer as long as it takes: with Envoy's default of 15 s a sidecar would go live with no configuration. */
const overAds: ConfigSource = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

/** With Envoy's default back-off (up to 30 s) a request to a destination never called before would wait long after the control plane is back. */
const dynamicResources: Bootstrap['dynamic_resources'] = {
  ads_config: {
    api_type: 'DELTA_GRPC',
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds', retry_policy: { retry_back_off: { base_interval: '0.1s', max_interval: '0.5s' } } } }],
  },
  cds_config: overAds,
  lds_config: overAds,
};

/** Envoy refuses a regular expression over a program size of 100 by default; ours are bounded by the schema of the policy. */
const runtime = { 're2.max_program_size.error_level': 32_768 };
