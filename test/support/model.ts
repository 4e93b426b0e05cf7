/**
 * A client that behaves as Envoy does, and a world around it, driven by a list of actions. It keeps its own account of what
 * was sent, what the client has and what it ought to have, and says what is wrong with what it sees.
 */
import type { ResourceType } from '../../src/envoy/resource.js';
import type { ClassOf } from '../../src/snapshot/scopes.js';
import { deltaPeer, line, type Peer, type Reply, sotwPeer } from './peer.js';
import { createWorld, type World } from './world.js';

/** What happens next. */
export type Action =
  /** The transport takes messages of the server. */
  | { readonly do: 'read'; readonly count: number }
  /** The client gets messages from the transport and answers; with `refuse` it finds fault with a version, from then on for ever. */
  | { readonly do: 'answer'; readonly count: number; readonly refuse: boolean }
  | { readonly do: 'ask' | 'remove'; readonly type: ModelType; readonly name: string }
  | { readonly do: 'leave'; readonly name: string }
  | { readonly do: 'reconnect' }
  | { readonly do: 'route'; readonly name: string; readonly clusters: readonly string[]; readonly value: string }
  | { readonly do: 'endpoints' | 'cluster'; readonly name: string; readonly value: string };

type ModelType = 'VirtualHost' | 'Cluster' | 'ClusterLoadAssignment';
type Variant = 'delta' | 'sotw';

interface Had {
  readonly version: string;
  readonly clusters: readonly string[];
  /** The stream on which it came. */
  readonly peer: Line;
}

interface Model {
  readonly variant: Variant;
  readonly world: World;
  peer: Line;
  /** On its way to the client. */
  queue: Reply[];
  /** What the client has. */
  readonly have: Map<string, Had>;
  /** What it was last sent on this stream, or said that it had when the stream began. */
  readonly lastSent: Map<string, string>;
  /** Names that may be sent again unchanged: asked for explicitly, endpoints behind their cluster, or in a response that was refused. */
  readonly excused: Set<string>;
  /** Versions that the client refuses. */
  readonly bad: Set<string>;
  readonly asked: ReadonlyMap<ModelType, Set<string>>;
  /** VirtualHosts and Clusters that any request has named: the scope keeps them. */
  readonly learned: Set<string>;
  /** Learned or not: a state-of-the-world client may have asked and thought better of it before the server could take notice. */
  readonly uncertain: Set<string>;
  /** Clusters that were changed and whose endpoints have not come since. */
  readonly cold: Set<string>;
  readonly nonces: Map<ResourceType, string>;
}

/** Requests in the words of either variant. */
interface Line extends Pick<Peer<never>, 'read' | 'ack' | 'nack' | 'close'> {
  readonly ask: (type: ModelType, names: readonly string[]) => void;
  readonly leave: (type: ModelType, name: string) => void;
  readonly begin: (type: ModelType, names: readonly string[], versions: Readonly<Record<string, string>>) => void;
}

const types: readonly ModelType[] = ['Cluster', 'ClusterLoadAssignment', 'VirtualHost'];

/** Plays the actions, then lets everything be delivered. Answers with what went wrong, or undefined. */
export function runModel(variant: Variant, actions: readonly Action[]): string | undefined {
  const model = start(variant);
  try {
    for (const action of actions) act(model, action);
    finish(model);
    return undefined;
  } catch (error) {
    return error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
  }
}

class Violation extends Error {}

function violated(what: string): never {
  throw new Violation(what);
}

function start(variant: Variant): Model {
  const world = createWorld();
  const asked: ReadonlyMap<ModelType, Set<string>> = new Map(types.map((type) => [type, new Set<string>()]));
  const nonces = new Map<ResourceType, string>();
  const model: Model = {
    ...{ variant, world, asked, nonces, peer: connect(variant, world, nonces, asked), queue: [] },
    ...{ have: new Map(), lastSent: new Map(), excused: new Set(), bad: new Set(), learned: new Set(), uncertain: new Set(), cold: new Set() },
  };
  begin(model);
  return model;
}

function connect(variant: Variant, world: World, nonces: Map<ResourceType, string>, asked: Model['asked']): Line {
  return variant === 'delta' ? deltaLine(world) : sotwLine(world, nonces, asked);
}

function deltaLine(world: World): Line {
  const peer = deltaPeer(world);
  return {
    ...peer,
    ask: (type, names) => peer.request(type, { resource_names_subscribe: names }),
    leave: (type, name) => peer.request(type, { resource_names_unsubscribe: [name] }),
    begin: (type, names, initial_resource_versions) => {
      if (type === 'ClusterLoadAssignment' && names.length === 0) return;
      const star = type === 'ClusterLoadAssignment' || names.length === 0 ? [] : ['*'];
      peer.request(type, { resource_names_subscribe: [...star, ...names], initial_resource_versions });
    },
  };
}

function sotwLine(world: World, nonces: ReadonlyMap<ResourceType, string>, asked: Model['asked']): Line {
  const peer = sotwPeer(world);
  const repeat = (type: ModelType) => {
    const names = [...(asked.get(type) ?? [])];
    peer.request(type, { resource_names: type === 'ClusterLoadAssignment' ? names : ['*', ...names], response_nonce: nonces.get(type) ?? '' });
  };
  return { ...peer, ask: repeat, leave: repeat, begin: (type) => (type === 'ClusterLoadAssignment' && asked.get(type)?.size === 0 ? undefined : repeat(type)) };
}

/** The first requests of a stream: what the client wants and, with delta, what it has. */
function begin(model: Model): void {
  model.nonces.clear();
  model.lastSent.clear();
  model.excused.clear();
  for (const type of types) {
    const versions = Object.fromEntries([...model.have].filter(([id]) => id.startsWith(`${type} `)).map(([id, { version }]) => [nameIn(id), version]));
    if (model.variant === 'delta') {
      for (const [name, version] of Object.entries(versions)) model.lastSent.set(`${type} ${name}`, version);
      if (type !== 'ClusterLoadAssignment') for (const name of Object.keys(versions)) model.learned.add(`${type} ${name}`);
    }
    model.peer.begin(type, [...(model.asked.get(type) ?? [])], versions);
  }
}

function act(model: Model, action: Action): void {
  const { world } = model;
  if (action.do === 'read') for (let left = action.count; left > 0; left--) read(model);
  else if (action.do === 'answer') for (let left = action.count; left > 0; left--) answer(model, action.refuse && left === action.count);
  else if (action.do === 'ask') ask(model, action.type, action.name);
  else if (action.do === 'leave') leave(model, 'Cluster', action.name);
  else if (action.do === 'reconnect') reconnect(model);
  else if (action.do === 'remove') remove(model, action.type, action.name);
  else if (action.do === 'endpoints') world.set('ClusterLoadAssignment', action.name, action.value);
  else if (action.do === 'cluster') setCluster(world, action.name, action.value);
  else if (action.do === 'route') setRoute(world, action.name, action.clusters, action.value);
}

/** State of the world has no words for the removal of a virtual host or endpoints: the client is taken to have lost them. */
function remove({ variant, world, excused }: Model, type: ModelType, name: string): void {
  world.remove(type, name);
  if (variant === 'sotw') excused.add(`${type} ${name}`);
}

function setCluster(world: World, name: string, value: string): void {
  world.set('Cluster', name, value, [{ type: 'ClusterLoadAssignment', name }]);
}

function setRoute(world: World, name: string, clusters: readonly string[], value: string): void {
  for (const cluster of clusters) {
    if (world.get('Cluster', cluster)) continue;
    world.set('ClusterLoadAssignment', cluster, '1');
    setCluster(world, cluster, '1');
  }
  world.set(
    'VirtualHost',
    name,
    value,
    clusters.map((cluster) => ({ type: 'Cluster', name: cluster })),
  );
}

/** Only what Envoy asks for by itself: endpoints follow from its clusters. */
function ask(model: Model, type: ModelType, name: string): void {
  if (type === 'ClusterLoadAssignment') return;
  model.asked.get(type)?.add(name);
  model.learned.add(`${type} ${name}`);
  model.excused.add(`${type} ${name}`);
  model.peer.ask(type, [name]);
}

function leave(model: Model, type: ModelType, name: string): void {
  if (!model.asked.get(type)?.delete(name)) return;
  if (model.variant === 'sotw' && model.learned.delete(`${type} ${name}`)) model.uncertain.add(`${type} ${name}`);
  model.peer.leave(type, name);
  if (type === 'ClusterLoadAssignment') model.have.delete(`${type} ${name}`);
}

function reconnect(model: Model): void {
  model.peer.close();
  model.queue = [];
  model.cold.clear();
  model.peer = connect(model.variant, model.world, model.nonces, model.asked);
  begin(model);
}

/** The transport takes the next message. What the server promises of its order is checked here, where it composes. */
function read(model: Model): boolean {
  const reply = model.peer.read();
  if (!reply) return false;
  checkRepetition(model, reply);
  if (reply.type === 'VirtualHost') checkClustersSent(model, reply);
  if (reply.type === 'Cluster') checkUnused(model, reply);
  model.queue.push(reply);
  return true;
}

function checkRepetition({ variant, lastSent, excused }: Model, reply: Reply): void {
  const { type, versions, bodyless, removed } = reply;
  const isWhole = variant === 'sotw' && type === 'Cluster';
  for (const [name, version] of versions) {
    const id = `${type} ${name}`;
    if (!isWhole && lastSent.get(id) === version && !excused.has(id)) violated(`sent again unchanged: ${line(reply)}`);
    lastSent.set(id, version);
    excused.delete(id);
    if (type === 'Cluster') excused.add(`ClusterLoadAssignment ${name}`);
  }
  for (const name of [...bodyless, ...removed]) lastSent.delete(`${type} ${name}`);
  if (isWhole) for (const id of [...lastSent.keys()]) if (id.startsWith('Cluster ') && !versions.has(nameIn(id))) lastSent.delete(id);
}

function checkClustersSent({ world, lastSent, bad }: Model, { clusters }: Reply): void {
  for (const [host, names] of clusters) {
    for (const name of names) {
      if (bad.size === 0 && world.get('Cluster', name) && !lastSent.has(`Cluster ${name}`))
        violated(`virtual host ${host} was sent before its cluster ${name}`);
    }
  }
}

/**
 * Whatever virtual host the client has, or will have once it reads what is on its way, its clusters stay. A state-of-the-world
 * client cannot say what it has from an earlier stream, nor be told that a virtual host has gone: those do not count.
 */
function checkUnused({ variant, world, have, queue, bad, peer }: Model, { removed, sent }: Reply): void {
  if (variant === 'sotw' && bad.size > 0) return;
  const gone =
    variant === 'delta'
      ? removed.filter((name) => have.has(`Cluster ${name}`))
      : [...have.keys()]
          .filter((id) => id.startsWith('Cluster '))
          .map(nameIn)
          .filter((name) => !sent.includes(name));
  const isTold = (host: string) => variant === 'delta' || world.get('VirtualHost', host) !== undefined;
  const had = [...have]
    .filter(([id, from]) => id.startsWith('VirtualHost ') && isTold(nameIn(id)) && (variant === 'delta' || from.peer === peer))
    .map(([, { clusters }]) => clusters);
  const coming = queue.flatMap(({ clusters }) => [...clusters].filter(([host]) => isTold(host)).map(([, names]) => names));
  for (const name of gone)
    if ([...had, ...coming].some((clusters) => clusters.includes(name))) violated(`cluster ${name} was removed while a virtual host refers to it`);
}

/** The client takes the next message from the transport, applies it unless it finds fault with it, and answers. */
function answer(model: Model, refuse: boolean): boolean {
  const reply = model.queue.shift();
  if (!reply) return false;
  model.nonces.set(reply.type, reply.nonce);
  const ids = [...reply.versions].map(([name, version]) => `${reply.type} ${name} ${version}`);
  const fresh = [...reply.versions].find(([name, version]) => model.have.get(`${reply.type} ${name}`)?.version !== version);
  if (refuse && fresh) model.bad.add(`${reply.type} ${fresh.join(' ')}`);
  const guilty = ids.filter((id) => model.bad.has(id));
  if (guilty.length > 0) {
    for (const name of [...reply.sent, ...reply.bodyless, ...reply.removed]) model.excused.add(`${reply.type} ${name}`);
    model.peer.nack(reply, model.variant === 'sotw' ? guilty.join(', ') : 'no');
  } else {
    apply(model, reply);
    model.peer.ack(reply);
  }
  return true;
}

function apply(model: Model, reply: Reply): void {
  const { type, versions, clusters, bodyless, removed } = reply;
  const { have } = model;
  const isWhole = model.variant === 'sotw' && type === 'Cluster';
  const missing = isWhole
    ? [...have.keys()]
        .filter((id) => id.startsWith('Cluster '))
        .map(nameIn)
        .filter((name) => !versions.has(name))
    : [];
  for (const name of [...bodyless, ...removed, ...missing]) {
    have.delete(`${type} ${name}`);
    if (type === 'Cluster') dropEndpoints(model, name);
  }
  for (const [name, version] of versions) {
    const id = `${type} ${name}`;
    if (type === 'ClusterLoadAssignment' && !model.asked.get(type)?.has(name)) continue;
    if (type === 'Cluster' && have.get(id)?.version !== version) warm(model, name);
    if (type === 'ClusterLoadAssignment') model.cold.delete(name);
    have.set(id, { version, clusters: clusters.get(name) ?? [], peer: model.peer });
  }
}

function dropEndpoints(model: Model, name: string): void {
  model.cold.delete(name);
  leave(model, 'ClusterLoadAssignment', name);
}

/** A new or changed cluster waits for endpoints; the client asks for them unless it has asked already. */
function warm(model: Model, name: string): void {
  model.cold.add(name);
  const asked = model.asked.get('ClusterLoadAssignment');
  if (asked?.has(name)) return;
  asked?.add(name);
  model.excused.add(`ClusterLoadAssignment ${name}`);
  model.peer.ask('ClusterLoadAssignment', [name]);
}

function finish(model: Model): void {
  let left = 2_000;
  while (read(model) || answer(model, false)) if (left-- === 0) violated('the server does not come to rest');
  const hosts = model.world.names('VirtualHost').filter((name) => model.learned.has(`VirtualHost ${name}`));
  const needed = new Set(hosts.flatMap((name) => (model.world.get('VirtualHost', name)?.references ?? []).map((reference) => reference.name)));
  const refusesHost = [...model.bad].some((id) => model.variant === 'sotw' || id.startsWith('VirtualHost '));
  for (const name of allNames(model)) {
    checkHeld(model, 'VirtualHost', name, model.learned.has(`VirtualHost ${name}`), model.variant === 'sotw');
    const isUsed = model.uncertain.has(`Cluster ${name}`) || [...model.have.values()].some(({ clusters }) => clusters.includes(name));
    checkHeld(model, 'Cluster', name, model.learned.has(`Cluster ${name}`) || needed.has(name), refusesHost || isUsed);
    checkHeld(model, 'ClusterLoadAssignment', name, model.have.has(`Cluster ${name}`), true);
    const isServed = model.world.get('ClusterLoadAssignment', name) && model.world.get('Cluster', name);
    if (model.variant === 'delta' && isServed && model.cold.has(name) && model.bad.size === 0) violated(`cluster ${name} waits for endpoints for ever`);
  }
}

function allNames({ world, have }: Model): readonly string[] {
  return [...new Set([...types.flatMap((type) => world.names(type)), ...[...have.keys()].map(nameIn)])];
}

/** The client has the current version of what it wants, unless it refuses that one; it has nothing that it does not want, except where `mayHave`. */
function checkHeld(model: Model, type: ModelType, name: string, isWanted: boolean, mayHave: boolean): void {
  const had = model.have.get(`${type} ${name}`)?.version;
  const current = model.world.get(type, name) && currentVersion(model, type, name);
  if (isWanted && current !== undefined && had !== current && !model.bad.has(`${type} ${name} ${current}`)) {
    violated(`${type} ${name}: the client has ${had ?? 'none'} and ought to have ${current}`);
  }
  if (had !== undefined && model.bad.has(`${type} ${name} ${had}`)) violated(`${type} ${name}: the client has a version that it refuses`);
  if (had !== undefined && !mayHave && !(isWanted && current !== undefined)) violated(`${type} ${name}: the client ought to have none`);
}

/** The version as a fresh client of another workload is told it. */
function currentVersion({ variant, world }: Model, type: ModelType, name: string): string | undefined {
  const who = { workload: 'probe', audienceKey: 'a', audience: 'a' };
  const probe = variant === 'delta' ? askDelta(world, who, type, name) : askSotw(world, who, type, name);
  const found = probe
    .drain()
    .find((reply) => reply.type === type && reply.versions.has(name))
    ?.versions.get(name);
  probe.close();
  return found;
}

function askDelta(world: World, who: ClassOf<string>, type: ModelType, name: string) {
  const probe = deltaPeer(world, who);
  probe.request(type, { resource_names_subscribe: [name] });
  return probe;
}

function askSotw(world: World, who: ClassOf<string>, type: ModelType, name: string) {
  const probe = sotwPeer(world, who);
  probe.request(type, { resource_names: [name] });
  return probe;
}

function nameIn(id: string): string {
  return id.slice(id.indexOf(' ') + 1);
}
