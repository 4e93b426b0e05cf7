/** A real Envoy with the chains that a Permissive port has for plaintext, and the statistics of a sidecar. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readReport, type SidecarReport } from '../../src/commands/strict-ready/sidecar.js';
import { inboundFilters } from '../../src/compile/inbound-chain.js';
import { type InboundPort, inboundPorts, inboundUses } from '../../src/compile/inbound-ports.js';
import type { Bootstrap, Cluster, Listener } from '../../src/envoy/types.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { defaultMeshConfig, type MeshConfig } from '../../src/model/mesh-config.js';
import { plaintextMemory, plaintextPath, plaintextSightings } from '../../src/model/plaintext.js';
import { startEnvoy } from '../../src/proxy/run.js';
import { storeOf } from '../compile/world.js';
import { type Cleanup, envoyBinary, temporaryFolder } from './envoy.js';
import { freePorts } from './port.js';

/** Its ports, and what it tells. */
export interface PlaintextEnvoy {
  /** Where nothing is looked into. */
  readonly tcp: number;
  /** Where a policy has the requests looked into. */
  readonly http: number;
  /** Whom it has seen, by the app's port. */
  readonly report: () => Promise<SidecarReport>;
  /** What Prometheus gets. */
  readonly metrics: () => Promise<string>;
  readonly log: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

const objects = [
  '{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: None, selector: {app: web}, ports: [{name: tcp, port: 7000}, {name: http, port: 80, targetPort: 8080}]}}',
  '{apiVersion: weft.dev/v1alpha1, kind: TrafficPolicy, metadata: {name: open, namespace: shop}, spec: {targetRefs: [{kind: Service, name: web, sectionName: http}], authorization: {defaultAction: Allow, rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}]}]}}}',
];

/** The app's ports in those objects. */
export const appPorts = { tcp: 7000, http: 8080 };

/** Starts it before the app on `appPort`. `memory`: how long callers are remembered, and how often those that stay are seen, in place of what a sidecar has. */
export async function startPlaintextEnvoy(t: Cleanup, appPort: number, memory?: { readonly forget: string; readonly see: string }): Promise<PlaintextEnvoy> {
  const [tcp = 0, http = 0, health = 0] = await freePorts(3);
  const config: MeshConfig = { ...defaultMeshConfig, telemetry: { ...defaultMeshConfig.telemetry, accessLog: { mode: 'All', output: 'Stdout' } } };
  const ports = portsOf();
  const folder = await temporaryFolder(t);
  const outputFile = join(folder, 'envoy.out');
  const configuration = configure(join(folder, 'admin.sock'), health, appPort, [
    ...ports.map((port) => listener(port.number === appPorts.tcp ? tcp : http, port, config)),
  ]);
  const envoy = await startEnvoy({
    binary: await envoyBinary(),
    bootstrap: memory ? hurried(configuration, memory) : configuration,
    outputFile,
    args: ['--file-flush-interval-msec', '20'],
  });
  t.after(envoy.stop);
  await envoy.ready();
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${health}${path}`)).text();
  return {
    tcp,
    http,
    report: async () => readReport(await get(plaintextPath)) ?? Promise.reject(new Error('no report')),
    metrics: () => get('/stats/prometheus'),
    log: async () => (await readFile(outputFile, 'utf8')).split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : [])),
  };
}

function portsOf(): readonly InboundPort[] {
  const audience = {
    namespace: 'shop',
    zone: '',
    client: 'captured',
    explicitPort: 0,
    serviceAccount: 'web',
    labels: { app: 'web' },
    ports: new Map(),
  } as const;
  return inboundPorts(inboundUses(storeOf(...objects).mesh, audience), 'Permissive');
}

function listener(at: number, port: InboundPort, config: MeshConfig): Listener {
  const address = { socket_address: { address: '0.0.0.0', port_value: at } };
  return { name: String(port.number), traffic_direction: 'INBOUND', address, filter_chains: [{ filters: inboundFilters(port, 'plaintext', config) }] };
}

function configure(adminSocket: string, health: number, appPort: number, listeners: readonly Listener[]): Bootstrap {
  const { dynamic_resources: _, ...made } = bootstrap({
    proxy: { namespace: 'shop', pod: 'web-1', serviceAccount: 'web', labels: {}, zone: '', client: 'captured' },
    controlPlane: { host: '127.0.0.1', port: 1 },
    adminSocket,
    health: { address: '127.0.0.1', port: health },
  });
  const { listeners: own = [], clusters = [] } = made.static_resources ?? {};
  return {
    ...made,
    static_resources: { listeners: [...own, ...listeners], clusters: [...clusters, ...Object.values(appPorts).map((port) => toApp(port, appPort))] },
  };
}

function toApp(number: number, port_value: number): Cluster {
  const endpoint = { address: { socket_address: { address: '127.0.0.1', port_value } } };
  const name = `inbound:${number}`;
  return { name, type: 'STATIC', load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] } };
}

/** Envoy forgets when it flushes statistics, at the earliest. */
function hurried(configuration: Bootstrap, { forget, see }: { readonly forget: string; readonly see: string }): Bootstrap {
  const text = JSON.stringify({ ...configuration, stats_flush_interval: forget });
  return JSON.parse(text.replaceAll(`"${plaintextMemory}s"`, `"${forget}"`).replaceAll(`"${plaintextSightings}s"`, `"${see}"`));
}
