/** Node (v1), of which only the zone matters. */
import { Type } from 'typebox';
import type { Parsed } from '../change.js';
import { checker } from './check.js';
import { metadata, words } from './fields.js';
import { refOf } from './plain.js';

/** A Node, cut down to what the mesh needs. */
export interface Node {
  readonly name: string;
  /** Topology zone; empty when unknown. */
  readonly zone: string;
}

const zoneLabel = 'topology.kubernetes.io/zone';

const check = checker(Type.Object({ metadata }, words('an object', 'write a Node')));

/** Parses a Node. */
export function parseNode(raw: unknown): Parsed<Node> {
  const { value, diagnostics } = check(raw, refOf('Node', false, raw));
  return { object: value && { name: value.metadata.name, zone: value.metadata.labels?.[zoneLabel] ?? '' }, diagnostics };
}
