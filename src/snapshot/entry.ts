/** One name for one audience: its current resource, and the last one that a client has accepted. */
import { type ResourceName, resourceTypes } from '../envoy/resource.js';
import { type Any, typeUrl } from '../envoy/types.js';
import { makeResource, type Resource } from './resource.js';

/** What made a part of a resource; the snapshot only hands it on. */
export interface Cause {
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly field: string;
  readonly part: string;
}

/** What the compiler answers for a name; `message` is undefined while nothing of that name exists. */
export interface Candidate {
  readonly message: Any | undefined;
  readonly references: readonly ResourceName[];
  readonly topics: ReadonlySet<string>;
  readonly provenance: readonly Cause[];
  /** What the name would be without any policy: what a client gets that has refused the rest. */
  readonly fallback?: (() => Candidate) | undefined;
}

/** A name that somebody wants. */
export interface Entry extends ResourceName {
  readonly provenance: () => readonly Cause[];
  /** The current resource; undefined when there is none of that name. */
  readonly current: () => Resource | undefined;
  /** The last resource that some client has accepted, while the name exists: what a client gets that rejects the current one. */
  readonly accepted: () => Resource | undefined;
  /** What a client gets that rejects the current one while no other is known to be good: the resource without policies. */
  readonly fallback: () => Resource | undefined;
  /** A client has taken this version over. True when that makes the current resource the accepted one. */
  readonly accept: (version: string) => boolean;
  /** Takes a new candidate. True when the resource differs from before. Throws EncodeError, and then nothing has changed. */
  readonly replace: (candidate: Candidate) => boolean;
}

/** The resources made of a message so far: an unchanged message is not encoded again, whoever asks. */
const encoded = new WeakMap<Any, Map<string, Resource>>();

/** An entry without a resource. `onDefect` hears of a fallback that is no valid message; there is none then. */
export function createEntry({ type, name }: ResourceName, onDefect: (error: unknown) => void): Entry {
  let provenance: readonly Cause[] = [];
  let withoutPolicies: Candidate['fallback'];
  let current: Resource | undefined;
  let accepted: Resource | undefined;
  return {
    type,
    name,
    provenance: () => provenance,
    current: () => current,
    accepted: () => accepted,
    fallback: () => {
      try {
        const candidate = withoutPolicies?.();
        return candidate && encodeOnce({ type, name }, candidate);
      } catch (error) {
        onDefect(error);
        return undefined;
      }
    },
    accept: (version) => {
      if (current?.version !== version || accepted === current) return false;
      accepted = current;
      return true;
    },
    replace: (candidate) => {
      const next = encodeOnce({ type, name }, candidate);
      const changed = next?.version !== current?.version;
      if (!next) accepted = undefined;
      provenance = candidate.provenance;
      withoutPolicies = candidate.fallback;
      current = next;
      return changed;
    },
  };
}

function encodeOnce({ type, name }: ResourceName, { message, references }: Candidate): Resource | undefined {
  if (!message) return undefined;
  if (message['@type'] !== typeUrl(resourceTypes[type])) throw new Error(`${type} ${name} was compiled to a ${message['@type']}`);
  const names = encoded.get(message) ?? new Map<string, Resource>();
  const known = names.get(name);
  if (known && known.references === references) return known;
  const resource = makeResource(type, name, message, references);
  encoded.set(message, names.set(name, resource));
  return resource;
}
