/** The world as it is now, kept incrementally: sources apply changes, the compiler looks up. */
import type { Mesh, Topic } from '../model/mesh.js';
import { defaultMeshConfig, type MeshConfig } from '../model/mesh-config.js';
import type { Key } from '../model/name.js';
import type { TrafficPolicy } from '../model/policy.js';
import type { Endpoint, Service } from '../model/service.js';
import type { Pod } from '../model/workload.js';
import type { Change } from './change.js';
import type { Namespace } from './objects/namespace.js';
import { type AddressTable, createAddressTable } from './store/addresses.js';
import { type Budget, type BudgetTable, createBudgetTable, namespaceBudget, type StandInForMany } from './store/budget.js';
import { createEndpointTable, type EndpointTable } from './store/endpoints.js';
import { createIdentityTable, type IdentityTable } from './store/identities.js';
import { createIndex, type IndexMap } from './store/index-map.js';
import type { Surroundings } from './store/join.js';
import { keep, keepPolicy, keepService } from './store/keep.js';
import { compareText } from './store/order.js';
import { createPolicyTable, type PolicyTable } from './store/policies.js';
import { createPortCounter, type PortCounter } from './store/ports.js';
import { createSelectorTable, type SelectorTable } from './store/selectors.js';
import { setOrDelete } from './store/set-or-delete.js';

/** Holds the objects and answers for them. */
export interface Store {
  readonly mesh: Mesh;
  /**
   * Takes all the changes in one step (of several for one object the last counts) and returns the topics of exactly those
   * look-ups that answer differently now. The cost depends on the objects concerned, not on the size of the mesh.
   */
  readonly apply: (changes: readonly Change[]) => ReadonlySet<Topic>;
  /** The keys of all Services, and all policies, sorted by key: for reports, which look at everything. */
  readonly services: () => readonly Key[];
  readonly policies: () => readonly TrafficPolicy[];
  /** Those of them that are not in force, since their namespaces have too many; sorted. */
  readonly outOfBudget: () => readonly Key[];
  /** All Pods and all Namespaces, in no particular order, for reports too. */
  readonly pods: () => Iterable<Pod>;
  readonly namespaces: () => Iterable<Namespace>;
}

/** The objects as they came, and what is derived from them. */
interface State {
  readonly services: Map<string, Service>;
  readonly pods: Map<string, Pod>;
  readonly namespaces: Map<string, Namespace>;
  readonly zones: Map<string, string>;
  readonly policies: Map<string, TrafficPolicy>;
  readonly byNamespace: IndexMap<string, Key>;
  readonly endpointTable: EndpointTable;
  readonly addressTable: AddressTable;
  readonly portCounter: PortCounter;
  readonly policyTable: PolicyTable;
  readonly budgetTable: BudgetTable;
  readonly selectorTable: SelectorTable;
  readonly identityTable: IdentityTable;
  config: MeshConfig;
}

/** The Mesh object of this name counts; there is one mesh. */
const meshName = 'default';

/** What may be said of where objects come from, and of what is too much. */
export interface StoreOptions extends Pick<Surroundings, 'followsPods'> {
  /** What holds in place of policies beyond a namespace's budget; nothing unless given. */
  readonly standIn?: StandInForMany | undefined;
  readonly budget?: Budget | undefined;
}

/** An empty store. */
export function createStore(options: StoreOptions = {}): Store {
  const state = createState(options);
  const mesh: Mesh = {
    service: (key) => state.services.get(key),
    endpoints: state.endpointTable.get,
    identities: state.identityTable.get,
    selecting: state.selectorTable.get,
    policies: state.policyTable.get,
    at: state.addressTable.get,
    pod: (key) => state.pods.get(key),
    zone: (node) => state.zones.get(node) ?? '',
    ports: state.portCounter.get,
    config: () => state.config,
  };
  return {
    mesh,
    apply: (changes) => {
      const topics = new Set<Topic>();
      for (const change of lastOfEach(changes)) applyOne(state, change, topics);
      settle(state, topics);
      return topics;
    },
    services: () => [...state.services.values()].map(({ key }) => key).sort(),
    policies: () => [...state.policies.values()].sort((a, b) => compareText(a.key, b.key)),
    outOfBudget: state.budgetTable.left,
    pods: () => state.pods.values(),
    namespaces: () => state.namespaces.values(),
  };
}

function createState({ followsPods, standIn = () => undefined, budget = namespaceBudget }: StoreOptions): State {
  const services = new Map<string, Service>();
  const pods = new Map<string, Pod>();
  const zones = new Map<string, string>();
  const byNamespace = createIndex<string, Key>();
  const endpointTable = createEndpointTable({ pod: (key) => pods.get(key), zone: (node) => zones.get(node) ?? '', followsPods });
  const addressTable = createAddressTable((key) => standingOf(services.get(key)));
  const policyTable = createPolicyTable({ has: (key) => services.has(key), inNamespace: byNamespace.get });
  const objects = { services, pods, zones, namespaces: new Map(), policies: new Map() };
  const service = (key: Key) => services.get(key);
  const derived = {
    portCounter: createPortCounter({ service, endpoints: endpointTable.get, owner: addressTable.get }),
    selectorTable: createSelectorTable(service),
    identityTable: createIdentityTable({ service, endpoints: endpointTable.get }),
  };
  const budgetTable = createBudgetTable(standIn, budget);
  return { ...objects, ...derived, byNamespace, endpointTable, addressTable, policyTable, budgetTable, config: defaultMeshConfig };
}

function standingOf(service: Service | undefined) {
  if (!service) return 'absent';
  return service.clusterIPs.length > 0 ? 'clusterIP' : 'headless';
}

function lastOfEach(changes: readonly Change[]): Iterable<Change> {
  return new Map(changes.map((change) => [`${change.kind} ${change.key}`, change])).values();
}

function applyOne(state: State, change: Change, topics: Set<Topic>): void {
  switch (change.kind) {
    case 'Service':
      return applyService(state, change.key, change.object, topics);
    case 'EndpointSlice':
      return state.endpointTable.slice(change.key, change.object);
    case 'Pod':
      return applyPod(state, change.key, change.object, topics);
    case 'Node':
      return applyZone(state, change.key, change.object?.zone ?? '', topics);
    case 'TrafficPolicy':
      return applyPolicy(state, change.key, change.object);
    case 'Mesh':
      return applyConfig(state, change.key, change.object, topics);
    case 'Namespace':
      // No look-up tells of namespaces; only reports do.
      return setOrDelete(state.namespaces, change.key, change.object);
  }
}

function applyService(state: State, key: string, object: Service | undefined, topics: Set<Topic>): void {
  const before = state.services.get(key);
  const after = object && keepService(before, object);
  if (after === before) return;
  topics.add(`service:${key}`);
  setOrDelete(state.services, key, after);
  const own = after?.key ?? before?.key;
  if (own === undefined) return;
  state.portCounter.mark(own);
  state.identityTable.mark(own);
  state.selectorTable.replace(before, after);
  state.addressTable.clusterIPs(own, before?.clusterIPs ?? [], after?.clusterIPs ?? []);
  if (standingOf(before) !== standingOf(after)) state.addressTable.mark(addressesOf(state.endpointTable.get(own)));
  if (before && after) return;
  if (after) state.byNamespace.add(after.namespace, own);
  if (before) state.byNamespace.delete(before.namespace, own);
  state.policyTable.mark(own);
}

function applyPod(state: State, key: string, object: Pod | undefined, topics: Set<Topic>): void {
  const before = state.pods.get(key);
  const after = object && keep(before, object);
  if (after === before) return;
  topics.add(`pod:${key}`);
  setOrDelete(state.pods, key, after);
  const own = after?.key ?? before?.key;
  if (own === undefined) return;
  state.endpointTable.podChanged(own);
  state.addressTable.pod(own, ownAddressesOf(before), ownAddressesOf(after));
}

/** Those that no other Pod has: on the host network all have the Node's. */
function ownAddressesOf(pod: Pod | undefined): readonly string[] {
  return pod && !pod.hostNetwork ? pod.addresses : [];
}

function applyZone(state: State, node: string, zone: string, topics: Set<Topic>): void {
  if ((state.zones.get(node) ?? '') === zone) return;
  topics.add(`node:${node}`);
  setOrDelete(state.zones, node, zone || undefined);
  state.endpointTable.nodeChanged(node);
}

function applyPolicy(state: State, key: string, object: TrafficPolicy | undefined): void {
  const before = state.policies.get(key);
  const after = object && keepPolicy(before, object);
  if (after === before) return;
  setOrDelete(state.policies, key, after);
  state.budgetTable.replace(before, after);
}

function applyConfig(state: State, name: string, object: MeshConfig | undefined, topics: Set<Topic>): void {
  if (name !== meshName) return;
  const after = keep(state.config, object ?? defaultMeshConfig);
  if (after === state.config) return;
  state.config = after;
  topics.add('config');
}

/** Endpoints before addresses and ports, which follow from them. */
function settle(state: State, topics: Set<Topic>): void {
  state.endpointTable.settle((service, before, after) => {
    topics.add(`endpoints:${service}`);
    state.addressTable.endpoints(service, addressesOf(before), addressesOf(after));
    if (standingOf(state.services.get(service)) === 'headless') state.portCounter.mark(service);
    state.identityTable.mark(service);
  });
  state.identityTable.settle((service) => topics.add(`identities:${service}`));
  state.selectorTable.settle((filing) => topics.add(`selecting:${filing}`));
  state.addressTable.settle((address) => {
    topics.add(`address:${address}`);
    for (const key of state.addressTable.claimants(address)) if (standingOf(state.services.get(key)) === 'headless') state.portCounter.mark(key);
  });
  state.budgetTable.settle({ changed: state.policyTable.replace, forgotten: (policy) => state.policies.set(policy.key, policy) });
  state.policyTable.settle((service) => topics.add(`policies:${service}`));
  if (state.portCounter.settle()) topics.add('ports');
}

function addressesOf(endpoints: readonly Endpoint[]): readonly string[] {
  return endpoints.map(({ address }) => address);
}
