/**
 * What one class of clients (the replicas of a workload) is sent: the constants, what any of them has asked for, and what
 * those need in turn. A new replica starts with all of it.
 */
import type { ResourceName, ResourceType } from '../envoy/resource.js';
import type { Entry } from './entry.js';
import type { AudienceView, Watcher } from './snapshot.js';

/** A client of the class. */
export interface Member {
  /** The resource of this name, or whether it is wanted, has changed. */
  readonly changed: (type: ResourceType, name: string) => void;
  /** A name that was asked in vain is no longer remembered: too many others were asked after it. */
  readonly forgotten: (type: ResourceType, name: string) => void;
}

/** The shared scope of a class. */
export interface Scope {
  /** What a member asked for: kept for all members, present and future. */
  readonly learn: (type: ResourceType, names: Iterable<string>) => void;
  /** Keeps a name for as long as a member wants it; each call needs its `release`. False when the name is not taken in: nothing served has one so long. */
  readonly retain: (type: ResourceType, name: string) => boolean;
  readonly release: (type: ResourceType, name: string) => void;
  /** The names of a type that a wildcard subscription of a member stands for. */
  readonly wanted: (type: ResourceType) => ReadonlySet<string>;
  /** The entry of a name that is learned, retained, constant, or needed by one that is. */
  readonly entry: (type: ResourceType, name: string) => Entry | undefined;
  /** A member has taken a version over. */
  readonly accept: (entry: Entry, version: string) => void;
}

/** A scope, and what only its owner may do with it. */
export interface OwnedScope extends Scope {
  readonly members: Set<Member>;
  readonly learned: () => readonly ResourceName[];
  /** As `learn`, without telling the sibling scopes. */
  readonly adopt: (type: ResourceType, names: Iterable<string>) => void;
  /** Lets go of every entry. */
  readonly close: () => void;
}

/** What a scope is made of. */
export interface ScopeOptions<Audience> {
  readonly view: AudienceView<Audience>;
  /** How many names that do not exist are remembered, so as to tell when they appear. */
  readonly vainLimit: number;
  /** How many names are learned; further ones are answered as if they did not exist. */
  readonly learnedLimit: number;
  /** Shares what was learned with the scopes of the same workload in other zones, this one included. */
  readonly share: (type: ResourceType, names: Iterable<string>) => void;
}

interface Node {
  readonly entry: Entry;
  /** How many referrers, learners and members hold it. */
  count: number;
  references: readonly ResourceName[];
}

/** A scope that holds the constants of its audience. */
export function createScope<Audience>({ view, vainLimit, learnedLimit, share }: ScopeOptions<Audience>): OwnedScope {
  const state: State = {
    ...{ view, vainLimit, learnedLimit, watcher: { changed: (entry) => refresh(state, entry) } },
    ...{ members: new Set(), nodes: new Map(), byType: new Map(), learned: new Map(), vain: new Map() },
  };
  for (const { type, name } of view.constants) retain(state, type, name);
  return {
    members: state.members,
    learn: share,
    adopt: (type, names) => adopt(state, type, names),
    learned: () => [...state.learned.values()],
    retain: (type, name) => isServable(name) && retain(state, type, name) !== undefined,
    release: (type, name) => release(state, type, name),
    wanted: (type) => namesOf(state, type),
    entry: (type, name) => state.nodes.get(idOf(type, name))?.entry,
    accept: view.accept,
    close: () => {
      for (const { entry } of state.nodes.values()) view.unwatch(entry, state.watcher);
      state.nodes.clear();
    },
  };
}

interface State {
  readonly view: Pick<AudienceView<never>, 'watch' | 'unwatch'>;
  readonly vainLimit: number;
  readonly learnedLimit: number;
  readonly watcher: Watcher;
  readonly members: Set<Member>;
  /** By type and name: what is learned, retained, constant, or needed by one that is. */
  readonly nodes: Map<string, Node>;
  readonly byType: Map<ResourceType, Set<string>>;
  readonly learned: Map<string, ResourceName>;
  /** What was learned and does not exist; oldest first. */
  readonly vain: Map<string, ResourceName>;
}

function tell(state: State, { type, name }: ResourceName): void {
  for (const member of state.members) member.changed(type, name);
}

function namesOf(state: State, type: ResourceType): Set<string> {
  const existing = state.byType.get(type) ?? new Set();
  state.byType.set(type, existing);
  return existing;
}

function retain(state: State, type: ResourceType, name: string): Node {
  const id = idOf(type, name);
  const known = state.nodes.get(id);
  if (known) {
    known.count++;
    return known;
  }
  const entry = state.view.watch(type, name, state.watcher);
  const node: Node = { entry, count: 1, references: referencesOf(entry) };
  state.nodes.set(id, node);
  namesOf(state, type).add(name);
  for (const reference of node.references) retain(state, reference.type, reference.name);
  tell(state, entry);
  return node;
}

function release(state: State, type: ResourceType, name: string): void {
  const id = idOf(type, name);
  const node = state.nodes.get(id);
  if (!node || --node.count > 0) return;
  state.nodes.delete(id);
  namesOf(state, type).delete(name);
  state.view.unwatch(node.entry, state.watcher);
  tell(state, node.entry);
  for (const reference of node.references) release(state, reference.type, reference.name);
}

/** An entry has changed: first hold what it needs now, then let go of what it no longer needs. */
function refresh(state: State, entry: Entry): void {
  const id = idOf(entry.type, entry.name);
  const node = state.nodes.get(id);
  if (!node) return;
  const before = node.references;
  node.references = referencesOf(entry);
  for (const reference of node.references) retain(state, reference.type, reference.name);
  for (const reference of before) release(state, reference.type, reference.name);
  if (state.learned.has(id)) noteVain(state, id, entry);
  tell(state, entry);
}

function adopt(state: State, type: ResourceType, names: Iterable<string>): void {
  for (const name of names) {
    const id = idOf(type, name);
    if (state.learned.has(id) || state.learned.size >= state.learnedLimit || !isServable(name)) continue;
    state.learned.set(id, { type, name });
    noteVain(state, id, retain(state, type, name).entry);
  }
}

function noteVain(state: State, id: string, entry: Entry): void {
  state.vain.delete(id);
  if (entry.current()) return;
  state.vain.set(id, entry);
  if (state.vain.size > state.vainLimit) forgetOldest(state);
}

/** Many at once: to find the first entry of a Map takes as long as there are holes before it. */
function forgetOldest(state: State): void {
  let left = Math.ceil(state.vainLimit / 8);
  for (const [id, { type, name }] of state.vain) {
    if (left-- === 0) return;
    state.vain.delete(id);
    state.learned.delete(id);
    release(state, type, name);
    for (const member of state.members) member.forgotten(type, name);
  }
}

/** Nothing that Weft serves has a longer name; what does is not remembered. */
function isServable(name: string): boolean {
  return name.length <= 512;
}

function idOf(type: ResourceType, name: string): string {
  return `${type} ${name}`;
}

/** What clients need that hold the current version, and those that still hold the last accepted one: make before break. */
function referencesOf(entry: Entry): readonly ResourceName[] {
  const current = entry.current();
  const accepted = entry.accepted();
  if (!current || !accepted || current === accepted) return current?.references ?? [];
  return [...current.references, ...accepted.references];
}
