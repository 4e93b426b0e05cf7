/** What the holder of the Lease does besides serving: the status of policies, and Events about pods that are not meshed. */
import { readFile } from 'node:fs/promises';
import type { KubeClient } from '../../kubernetes/api.js';
import { keyOf } from '../../model/name.js';
import { createEvents } from '../../status/events.js';
import type { Condition } from '../../status/facts.js';
import { createLease, type Lease } from '../../status/lease.js';
import { createStatusLoop, type StatusLoop } from '../../status/loop.js';
import { type MeshObjects, meshName } from '../../status/mesh-status.js';
import { createPeers, type Peer, type PeerReport } from '../../status/peers.js';
import { systemTimers } from '../../status/timers.js';
import { type UnmeshedPod, unmeshedPods } from '../../status/unmeshed.js';
import { createStatusWriter, type StatusWriter } from '../../status/writer.js';
import type { CaExpiry } from './ca-expiry.js';
import type { Core } from './core.js';
import { createPeerFetch } from './peer-report.js';
import { gatherFacts } from './status-facts.js';
import type { ClusterWorld } from './world.js';

/** What it is made from. */
export interface ClusterStatusOptions {
  readonly client: KubeClient;
  readonly core: Core;
  readonly world: ClusterWorld;
  /** Weft's own namespace, and this replica's pod. */
  readonly namespace: string;
  readonly pod: string;
  /** The name of the Service and of the Lease. */
  readonly name: string;
  /** This replica's own counts. */
  readonly report: () => Promise<PeerReport>;
  /** How the other replicas are asked: by the authority and the name of their certificates, and a token in a file. */
  readonly peers: { readonly ca: () => string; readonly serverName: string; readonly tokenFile: string; readonly port: number };
  /** For how long the authority of the mesh is good. */
  readonly expiry: Pick<CaExpiry, 'condition' | 'revision'>;
  readonly onHolding: () => void;
  readonly failed: (task: string) => (error: unknown) => void;
}

/** The running parts. */
export interface ClusterStatus {
  readonly lease: Lease;
  readonly loop: StatusLoop;
  readonly writer: StatusWriter;
  readonly unmeshed: () => readonly UnmeshedPod[];
  /** Lets another replica take over at once. */
  readonly close: () => Promise<void>;
}

/** Begins to contend for the Lease. */
export function startClusterStatus(options: ClusterStatusOptions): ClusterStatus {
  const { client, core, world, namespace, pod, name, expiry, failed } = options;
  const common = { client, timers: systemTimers, clock: Date.now };
  const lease = createLease({
    ...{ ...common, namespace, name, identity: pod, onError: failed('lease') },
    onChange: (isHolder) => {
      core.logger.info({ isHolder }, 'the Lease has changed hands');
      if (isHolder) options.onHolding();
    },
  });
  const writer = createStatusWriter({ ...common, isHolder: lease.isHolder, onError: (_, error) => failed('status')(error) });
  const unmeshed = () => unmeshedPods({ pods: core.store.pods(), namespaces: core.store.namespaces(), excluded: new Set([...system, namespace]) });
  const loop = createStatusLoop({
    ...{
      lease,
      writer,
      unmeshed,
      report: options.report,
      revision: () => world.verdictRevision() + expiry.revision(),
      timers: systemTimers,
      onError: failed('status'),
    },
    events: createEvents({ ...common, identity: pod, onError: failed('events') }),
    peers: peersOf(options),
    facts: () =>
      gatherFacts({ world: core.world, compiler: core.compiler, found: world.found, broken: world.broken, meshes: withAuthority(world.meshes, expiry) }),
  });
  return {
    ...{ lease, loop, writer, unmeshed },
    close: async () => {
      loop.close();
      writer.close();
      await lease.close();
    },
  };
}

/** The Mesh that counts says of the authority too. */
function withAuthority({ conditions }: MeshObjects, expiry: Pick<CaExpiry, 'condition'>): Pick<MeshObjects, 'conditions'> {
  const extended = (name: string, own: readonly Condition[]) => (name === meshName ? [...own, expiry.condition(own[0]?.observedGeneration ?? 0)] : own);
  return { conditions: () => new Map([...conditions()].map(([name, own]) => [name, extended(name, own)])) };
}

/** The namespaces of Kubernetes itself, whose pods are never meshed. */
const system = ['kube-system', 'kube-public', 'kube-node-lease'];

function peersOf({ core, namespace, name, pod, peers, failed }: ClusterStatusOptions) {
  const own = keyOf(namespace, pod);
  const present = (): readonly Peer[] =>
    core.store.mesh
      .endpoints(keyOf(namespace, name))
      .filter(({ pod: id, ready }) => ready && id !== own)
      .map(({ address, pod: id = address }) => ({ id, address: `${address.includes(':') ? `[${address}]` : address}:${peers.port}` }));
  const fetchReport = createPeerFetch({ ca: peers.ca, serverName: peers.serverName, token: async () => (await readFile(peers.tokenFile, 'utf8')).trim() });
  return createPeers({ peers: present, fetchReport, timers: systemTimers, onError: ({ id }, error) => failed('peers')(new Error(`${id}: ${String(error)}`)) });
}
