/** Namespace (v1). */
import { Type } from 'typebox';
import { fieldOf, isPlain, listOf, textOf } from '../../kubernetes/plain.js';
import type { Parsed } from '../change.js';
import { checker } from './check.js';
import { metadata, words } from './fields.js';
import { refOf } from './plain.js';

/** A Namespace, cut down to what the mesh needs. */
export interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Since when at the latest the label `weft.dev/inject` has been as it is, RFC 3339; empty when the object does not tell. */
  readonly injectSince: string;
}

const check = checker(Type.Object({ metadata }, words('an object', 'write a Namespace')));

/** The label by which a namespace (or a pod) asks for sidecars. */
const injectLabel = 'weft.dev/inject';

/** Parses a Namespace. */
export function parseNamespace(raw: unknown): Parsed<Namespace> {
  const { value, diagnostics } = check(raw, refOf('Namespace', false, raw));
  return { object: value && { name: value.metadata.name, labels: value.metadata.labels ?? {}, injectSince: injectSince(raw) }, diagnostics };
}

/** From the API server's record of who set which field, and when that one last changed any. */
function injectSince(raw: unknown): string {
  const owners = listOf(fieldOf(raw, 'metadata'), 'managedFields').filter(ownsLabel);
  const times = owners.map((entry) => textOf(entry, 'time'));
  return times.sort().at(-1) ?? '';
}

function ownsLabel(entry: unknown): boolean {
  const labels = ['fieldsV1', 'f:metadata', 'f:labels'].reduce(fieldOf, entry);
  return isPlain(labels) && `f:${injectLabel}` in labels;
}
