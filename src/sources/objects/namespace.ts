/** Namespace (v1). */
import { Type } from 'typebox';
import type { Parsed } from '../change.js';
import { checker } from './check.js';
import { metadata, words } from './fields.js';
import { refOf } from './plain.js';

/** A Namespace, cut down to what the mesh needs. */
export interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const check = checker(Type.Object({ metadata }, words('an object', 'write a Namespace')));

/** Parses a Namespace. */
export function parseNamespace(raw: unknown): Parsed<Namespace> {
  const { value, diagnostics } = check(raw, refOf('Namespace', false, raw));
  return { object: value && { name: value.metadata.name, labels: value.metadata.labels ?? {} }, diagnostics };
}
