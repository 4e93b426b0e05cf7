/**
 * One simulated sidecar: a stock Envoy 1.40 with the on-demand filter, as seen by its control plane on one delta stream. CDS and
 * LDS wildcard, RDS by name, one empty VHDS request; then, for each call of the app, the virtual host, its clusters and their
 * endpoints. What Envoy is played by here was seen on the real one: a new Cluster is acknowledged after its endpoints have
 * come, endpoints pushed right behind their Cluster are taken, a name is asked for once.
 */
import { answersFor, edsNameOf, hasVhds, type Received, type Response, readVirtualHost, routeNamesOf, type Type, urls, type VirtualHost } from './resources.js';
import { field } from './wire.js';

/** A running proxy. */
export interface SimulatedProxy {
  /** Begins with its first request. */
  readonly begin: () => void;
  /** Takes a response. */
  readonly receive: (response: Response) => void;
  /** The app calls a host; `done` runs when Envoy can pass the request on. */
  readonly call: (host: string, done: () => void) => void;
  readonly oddities: Oddities;
}

/** What a real Envoy would have trouble with; all of it should be 0. */
export interface Oddities {
  /** Hosts answered as missing while the app was calling them: a 404. */
  unknownHosts: number;
  /** Hosts that the domains of their virtual host lack: a 404. */
  foreignDomains: number;
  /** Resources that were sent before they could be asked for, such as endpoints before their Cluster: dropped. */
  unasked: number;
  /** Clusters answered as missing while a call was waiting for them: the call hangs. */
  missingClusters: number;
}

/** How a proxy reaches its server and tells of itself. */
export interface ProxyParts {
  /** The serialized envoy.config.core.v3.Node. */
  readonly node: Buffer;
  readonly send: (request: Buffer) => void;
  /** Runs once, when all listeners are warm. */
  readonly onReady: () => void;
}

/** What the proxy knows of one type. */
interface TypeState {
  asked: boolean;
  readonly wanted: Set<string>;
  readonly held: Set<string>;
}

interface State {
  readonly parts: ProxyParts;
  readonly types: Readonly<Record<Type, TypeState>>;
  readonly oddities: Oddities;
  /** By cluster: the name under which its endpoints are asked for, undefined where it has none. */
  readonly edsNames: Map<string, string | undefined>;
  /** By `ROUTES/HOST`. */
  readonly virtualHosts: Map<string, VirtualHost>;
  /** Route configurations whose virtual hosts come on demand, and those that have had one. */
  readonly onDemandRoutes: Set<string>;
  readonly basedRoutes: Set<string>;
  /** What the app waits for, by host. */
  readonly calls: Map<string, () => void>;
  /** Nonces of Cluster responses whose acknowledgement waits for endpoints. */
  clusterAcks: readonly string[];
  isReady: boolean;
  hasBegun: boolean;
}

/** A proxy that has said nothing yet. */
export function createProxy(parts: ProxyParts): SimulatedProxy {
  const state = createState(parts);
  return {
    begin: () => request(state, 'cds', []),
    receive: (response) => receive(state, response),
    call: (host, done) => {
      state.calls.set(host, done);
      advance(state);
    },
    oddities: state.oddities,
  };
}

function createState(parts: ProxyParts): State {
  const fresh = (): TypeState => ({ asked: false, wanted: new Set(), held: new Set() });
  return {
    parts,
    types: { cds: fresh(), eds: fresh(), lds: fresh(), rds: fresh(), vhds: fresh() },
    oddities: { unknownHosts: 0, foreignDomains: 0, unasked: 0, missingClusters: 0 },
    ...{ edsNames: new Map(), virtualHosts: new Map(), onDemandRoutes: new Set(), basedRoutes: new Set(), calls: new Map() },
    ...{ clusterAcks: [], isReady: false, hasBegun: false },
  };
}

/** Sends a request; the first of the stream says who asks. */
function request(state: State, type: Type, names: readonly string[], nonce = ''): void {
  state.types[type].asked = true;
  const head = state.hasBegun ? [] : [field(1, state.parts.node)];
  state.hasBegun = true;
  state.parts.send(Buffer.concat([...head, field(2, urls[type]), ...names.map((name) => field(3, name)), ...(nonce ? [field(6, nonce)] : [])]));
}

/** Asks for those names that were never asked for. */
function subscribe(state: State, type: Type, names: readonly string[]): void {
  const { wanted } = state.types[type];
  const fresh = names.filter((name) => !wanted.has(name));
  for (const name of fresh) wanted.add(name);
  if (fresh.length > 0) request(state, type, fresh);
}

/** New subscriptions leave before the acknowledgement of the response that caused them, except those of a call. */
function receive(state: State, response: Response): void {
  const { type, nonce } = response;
  if (!hold(state, response)) return;
  handlers[type](state, response);
  if (type === 'cds' && isWarming(state)) state.clusterAcks = [...state.clusterAcks, nonce];
  else acknowledge(state, type, nonce);
  becomeReady(state);
  advance(state);
}

/** Notes what is held now; false for a type that was never asked for, which Envoy does not even acknowledge. */
function hold({ types, oddities }: State, { type, resources, removed }: Response): boolean {
  const { asked, wanted, held } = types[type];
  const isTaken = (name: string) => asked && (type !== 'eds' || wanted.has(name));
  for (const { name, body } of resources) {
    if (!isTaken(name)) oddities.unasked++;
    else if (body.length > 0) held.add(name);
  }
  // Envoy keeps the endpoints for as long as it has the cluster.
  if (type !== 'eds') for (const name of removed) held.delete(name);
  return asked;
}

const handlers: Readonly<Record<Type, (state: State, response: Response) => void>> = {
  cds: (state, { resources, removed }) => {
    for (const cluster of resources) state.edsNames.set(cluster.name, edsNameOf(cluster));
    for (const name of removed) dropCluster(state, name);
    const endpoints = resources.flatMap(({ name }) => state.edsNames.get(name) ?? []);
    subscribe(state, 'eds', endpoints);
    if (state.types.eds.wanted.size === 0) openListeners(state);
  },
  eds: openListeners,
  lds: (state, { resources }) => subscribe(state, 'rds', resources.flatMap(routeNamesOf)),
  rds: (state, { resources }) => {
    for (const routes of resources) if (hasVhds(routes)) state.onDemandRoutes.add(routes.name);
    if (state.onDemandRoutes.size > 0 && !state.types.vhds.asked) request(state, 'vhds', []);
  },
  vhds: (state, { resources, removed }) => {
    for (const received of resources) takeVirtualHost(state, received);
    for (const name of removed) state.virtualHosts.delete(name);
  },
};

/** Listeners are asked for once the first clusters are there, endpoints included. */
function openListeners(state: State): void {
  if (!state.types.lds.asked) request(state, 'lds', []);
}

function dropCluster({ edsNames, types, calls, virtualHosts, oddities, ...state }: State, name: string): void {
  const eds = edsNames.get(name);
  edsNames.delete(name);
  if (eds) types.eds.held.delete(eds);
  const isCalled = [...calls.keys()].some((host) => virtualHosts.get(keyOf(state, host))?.clusters.includes(name));
  if (isCalled) oddities.missingClusters++;
}

function takeVirtualHost({ basedRoutes, virtualHosts, calls, oddities }: State, received: Received): void {
  const virtualHost = readVirtualHost(received);
  for (const key of virtualHost.keys) {
    const slash = key.indexOf('/');
    basedRoutes.add(key.slice(0, slash));
    if (received.body.length > 0) virtualHosts.set(key, virtualHost);
    else virtualHosts.delete(key);
    if (received.body.length === 0 && calls.has(key.slice(slash + 1))) oddities.unknownHosts++;
  }
}

/** While a cluster waits for its endpoints Envoy sends nothing about clusters. */
function isWarming({ isReady, types: { eds } }: State): boolean {
  return isReady && [...eds.wanted].some((name) => !eds.held.has(name));
}

function acknowledge(state: State, type: Type, nonce: string): void {
  if (type === 'eds' && !isWarming(state)) {
    for (const held of state.clusterAcks) request(state, 'cds', [], held);
    state.clusterAcks = [];
  }
  request(state, type, [], nonce);
}

/** All listeners are warm: what they asked for is there, and each route configuration with vhds has had a virtual host. */
function becomeReady(state: State): void {
  const { lds, rds, eds } = state.types;
  const hasAll = ({ wanted, held }: TypeState) => held.size >= wanted.size;
  const areBased = [...state.onDemandRoutes].every((routes) => state.basedRoutes.has(routes));
  if (state.isReady || lds.held.size === 0 || !hasAll(rds) || !hasAll(eds) || !areBased) return;
  state.isReady = true;
  state.parts.onReady();
}

/** The name of the virtual host that Envoy asks for. */
function keyOf({ onDemandRoutes }: Pick<State, 'onDemandRoutes'>, host: string): string {
  const [routes = ''] = onDemandRoutes;
  return `${routes}/${host}`;
}

/** Takes every open call as far as it gets. */
function advance(state: State): void {
  if (state.isReady) for (const [host, done] of state.calls) step(state, host, done);
}

function step(state: State, host: string, done: () => void): void {
  const { cds, eds } = state.types;
  const virtualHost = state.virtualHosts.get(keyOf(state, host));
  if (!virtualHost) return subscribe(state, 'vhds', [keyOf(state, host)]);
  const missing = virtualHost.clusters.filter((cluster) => !cds.held.has(cluster));
  if (missing.length > 0) return isWarming(state) ? undefined : subscribe(state, 'cds', missing);
  const endpoints = virtualHost.clusters.flatMap((cluster) => state.edsNames.get(cluster) ?? []);
  if (endpoints.some((name) => !eds.held.has(name))) return;
  if (!answersFor(virtualHost, host)) state.oddities.foreignDomains++;
  state.calls.delete(host);
  done();
}
