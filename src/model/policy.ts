import type { Key } from './name.js';

/** What a TrafficPolicy is about: a Service (or one port of it), or all Services of a Namespace. */
export interface TargetRef {
  readonly kind: 'Service' | 'Namespace';
  /** The namespace of the Service (the policy's own unless it says another); for a Namespace, its name. */
  readonly namespace: string;
  readonly name: string;
  /** The name of a port of the Service. */
  readonly sectionName?: string | undefined;
}

/** A TrafficPolicy whose spec has been checked against the schema. */
export interface TrafficPolicy {
  readonly key: Key;
  readonly namespace: string;
  readonly name: string;
  /** RFC 3339; the oldest of two policies wins. Empty when unknown, which counts as youngest. */
  readonly creationTimestamp: string;
  readonly generation: number;
  readonly targetRefs: readonly TargetRef[];
  readonly mode: 'Enforce' | 'Shadow';
  /** The stanzas by name (`rules`, `timeouts`, ...), each valid for the schema of its feature. Identity is the cache key. */
  readonly stanzas: Readonly<Record<string, unknown>>;
}
