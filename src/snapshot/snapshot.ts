/**
 * What is known for every name that somebody wants. A name is compiled when it is first wanted and again when a topic that
 * it depends on is announced; only those who watch it hear of it, and only when its bytes have changed.
 */
import type { ResourceName, ResourceType } from '../envoy/resource.js';
import { type Candidate, createEntry, type Entry } from './entry.js';

/** Hears of changes of the entries that it watches. */
export interface Watcher {
  readonly changed: (entry: Entry) => void;
}

/** The names of one audience. */
export interface AudienceView<Audience> {
  readonly audience: Audience;
  readonly constants: readonly ResourceName[];
  /** The entry of a name, compiled now if nobody has asked before. It stays while somebody watches it. */
  readonly watch: (type: ResourceType, name: string, watcher: Watcher) => Entry;
  readonly unwatch: (entry: Entry, watcher: Watcher) => void;
  /** A client has taken this version over; the watchers hear of it when it is the first to do so. */
  readonly accept: (entry: Entry, version: string) => void;
}

/** How a snapshot asks for what it does not know. */
export interface SnapshotOptions<Audience> {
  readonly compile: (audience: Audience, type: ResourceType, name: string) => Candidate;
  readonly constants: (audience: Audience) => readonly ResourceName[];
  /** Equal keys for audiences that are alike as far as this resource is concerned: they share it. */
  readonly keyOf: (audience: Audience, name: ResourceName) => string;
  /** A compiled message was no valid message of Envoy: a defect, which must not end the process. The old resource stays. */
  readonly onDefect: (name: ResourceName, error: unknown) => void;
}

/** All audiences. */
export interface Snapshot<Audience> {
  readonly view: (audience: Audience) => AudienceView<Audience>;
  /** Compiles again what depends on these topics and tells the watchers of what has changed. Returns how many entries were compiled. */
  readonly invalidate: (topics: Iterable<string>) => number;
  /** How many names are known, over all audiences. */
  readonly size: () => number;
}

interface Watched {
  readonly id: string;
  readonly entry: Entry;
  readonly compile: () => Candidate;
  readonly watchers: Set<Watcher>;
  /** The topics under which it is filed now. */
  topics: ReadonlySet<string>;
}

/** An empty snapshot. */
export function createSnapshot<Audience>(options: SnapshotOptions<Audience>): Snapshot<Audience> {
  const names = new Map<string, Watched>();
  const dependents = new Map<string, Set<Watched>>();
  const known = new Map<Entry, Watched>();

  function view(audience: Audience): AudienceView<Audience> {
    return {
      audience,
      constants: options.constants(audience),
      watch: (type, name, watcher) => {
        const id = `${options.keyOf(audience, { type, name })}\n${type} ${name}`;
        const watched = names.get(id) ?? add(id, audience, { type, name });
        watched.watchers.add(watcher);
        return watched.entry;
      },
      unwatch: (entry, watcher) => {
        const watched = known.get(entry);
        watched?.watchers.delete(watcher);
        if (watched?.watchers.size === 0) forget(watched);
      },
      accept: (entry, version) => {
        if (entry.accept(version)) announce(known.get(entry));
      },
    };
  }

  function add(id: string, audience: Audience, { type, name }: ResourceName): Watched {
    const compile = () => options.compile(audience, type, name);
    const entry = createEntry({ type, name }, (error) => options.onDefect({ type, name }, error));
    const watched: Watched = { id, entry, compile, watchers: new Set(), topics: new Set() };
    names.set(id, watched);
    known.set(entry, watched);
    refresh(watched);
    return watched;
  }

  function forget(watched: Watched): void {
    names.delete(watched.id);
    known.delete(watched.entry);
    for (const topic of watched.topics) removeDependent(topic, watched);
  }

  function removeDependent(topic: string, watched: Watched): void {
    const set = dependents.get(topic);
    set?.delete(watched);
    if (set?.size === 0) dependents.delete(topic);
  }

  /** Compiles again; true when the resource has changed. */
  function refresh(watched: Watched): boolean {
    try {
      const candidate = watched.compile();
      follow(watched, candidate.topics);
      return watched.entry.replace(candidate);
    } catch (error) {
      options.onDefect(watched.entry, error);
      return false;
    }
  }

  function follow(watched: Watched, topics: ReadonlySet<string>): void {
    for (const topic of watched.topics) if (!topics.has(topic)) removeDependent(topic, watched);
    for (const topic of topics) {
      const set = dependents.get(topic) ?? new Set();
      dependents.set(topic, set.add(watched));
    }
    watched.topics = topics;
  }

  function invalidate(topics: Iterable<string>): number {
    const stale = new Set<Watched>();
    for (const topic of topics) for (const watched of dependents.get(topic) ?? []) stale.add(watched);
    const changed = [...stale].filter((watched) => refresh(watched));
    for (const watched of changed) announce(watched);
    return stale.size;
  }

  function announce(watched: Watched | undefined): void {
    if (watched) for (const watcher of [...watched.watchers]) watcher.changed(watched.entry);
  }

  return { view, invalidate, size: () => known.size };
}
