import type { Key } from './name.js';

/** A Pod, cut down to what the mesh needs. */
export interface Pod {
  readonly key: Key;
  readonly namespace: string;
  readonly name: string;
  /** All its addresses; empty until it has one. */
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** The name of the Node it runs on; empty when not yet scheduled. */
  readonly node: string;
  /** Container ports by name. */
  readonly ports: ReadonlyMap<string, number>;
  /** Empty in a folder, where nobody gives one. */
  readonly uid: string;
  /** RFC 3339; empty when unknown. */
  readonly created: string;
  readonly hostNetwork: boolean;
  /** Whether it has Weft's sidecar. */
  readonly proxy: 'Injected' | 'None';
}
