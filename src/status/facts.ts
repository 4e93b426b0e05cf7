/** What is known of policies when their status is made up. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { ObjectRef } from '../model/name.js';
import type { TargetRef, TrafficPolicy } from '../model/policy.js';
import type { PolicyCounts } from './tally.js';

/** A policy that is refused as it stands; an earlier generation of it may be in force. */
export interface BrokenPolicy {
  /** `namespace/name`. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** Those of its targets that can be read. */
  readonly targetRefs: readonly TargetRef[];
}

/** A stanza of a policy that another policy displaces. */
export interface OverriddenStanza {
  readonly stanza: string;
  readonly by: ObjectRef;
  /** For which callers or ports, where not for all: `callers in namespace checkout`. */
  readonly scope?: string | undefined;
  /** Whether both are of the same level, so that only age decided. */
  readonly conflict: boolean;
}

/** All that a status is made of. */
export interface StatusFacts {
  /** The policies in force. */
  readonly policies: readonly TrafficPolicy[];
  readonly broken: readonly BrokenPolicy[];
  /** What is wrong, with any object. */
  readonly diagnostics: readonly Diagnostic[];
  /** By `namespace/name`: about the generation in force, over all replicas of Weft. */
  readonly counts: ReadonlyMap<string, PolicyCounts>;
  /** By `namespace/name`. */
  readonly overridden: ReadonlyMap<string, readonly OverriddenStanza[]>;
}

/** One thing that is so, or not, before anybody has said since when. */
export interface Condition {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'Programmed' | 'Conflicted' | 'AuthorityValid';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}
