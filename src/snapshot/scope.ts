/**
 * What one class of clients (the replicas of a workload) is sent: the constants, what any of them has asked for, and what
 * those need in turn. A new replica starts with all of it.
 */
import type { ResourceName, ResourceType } from '../envoy/resource.js';
import type { Entry } from './entry.js';
import type { AudienceView } from './snapshot.js';

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
  const members = new Set<Member>();
  const nodes = new Map<string, Node>();
  const byType = new Map<ResourceType, Set<string>>();
  const learned = new Map<string, ResourceName>();
  const vain = new Map<string, ResourceName>();
  const watcher = { changed: refresh };

  function tell({ type, name }: ResourceName): void {
    for (const member of members) member.changed(type, name);
  }

  function namesOf(type: ResourceType): Set<string> {
    const existing = byType.get(type) ?? new Set();
    byType.set(type, existing);
    return existing;
  }

  function retain(type: ResourceType, name: string): Node {
    const id = idOf(type, name);
    const known = nodes.get(id);
    if (known) {
      known.count++;
      return known;
    }
    const entry = view.watch(type, name, watcher);
    const node: Node = { entry, count: 1, references: referencesOf(entry) };
    nodes.set(id, node);
    namesOf(type).add(name);
    for (const reference of node.references) retain(reference.type, reference.name);
    tell(entry);
    return node;
  }

  function release(type: ResourceType, name: string): void {
    const id = idOf(type, name);
    const node = nodes.get(id);
    if (!node || --node.count > 0) return;
    nodes.delete(id);
    namesOf(type).delete(name);
    view.unwatch(node.entry, watcher);
    tell(node.entry);
    for (const reference of node.references) release(reference.type, reference.name);
  }

  /** An entry has changed: first hold what it needs now, then let go of what it no longer needs. */
  function refresh(entry: Entry): void {
    const id = idOf(entry.type, entry.name);
    const node = nodes.get(id);
    if (!node) return;
    const before = node.references;
    node.references = referencesOf(entry);
    for (const reference of node.references) retain(reference.type, reference.name);
    for (const reference of before) release(reference.type, reference.name);
    if (learned.has(id)) noteVain(id, entry);
    tell(entry);
  }

  function adopt(type: ResourceType, names: Iterable<string>): void {
    for (const name of names) {
      const id = idOf(type, name);
      if (learned.has(id) || learned.size >= learnedLimit || !isServable(name)) continue;
      learned.set(id, { type, name });
      noteVain(id, retain(type, name).entry);
    }
  }

  function noteVain(id: string, entry: Entry): void {
    vain.delete(id);
    if (entry.current()) return;
    vain.set(id, entry);
    if (vain.size > vainLimit) forgetOldest();
  }

  function forgetOldest(): void {
    for (const [id, { type, name }] of vain) {
      vain.delete(id);
      learned.delete(id);
      release(type, name);
      for (const member of members) member.forgotten(type, name);
      return;
    }
  }

  for (const { type, name } of view.constants) retain(type, name);
  return {
    members,
    learn: share,
    adopt,
    learned: () => [...learned.values()],
    retain: (type, name) => isServable(name) && retain(type, name) !== undefined,
    release,
    wanted: namesOf,
    entry: (type, name) => nodes.get(idOf(type, name))?.entry,
    accept: view.accept,
    close: () => {
      for (const { entry } of nodes.values()) view.unwatch(entry, watcher);
      nodes.clear();
    },
  };
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
