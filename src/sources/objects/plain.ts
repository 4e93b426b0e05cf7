/** Plain values in messages about objects. */
import { fieldOf, isPlain, textOf } from '../../kubernetes/plain.js';
import type { ObjectRef } from '../../model/name.js';

/** How messages name an object that may be broken: what can be read of its name. */
export function refOf(kind: string, namespaced: boolean, raw: unknown): ObjectRef {
  const metadata = fieldOf(raw, 'metadata');
  return { kind, namespace: namespaced ? textOf(metadata, 'namespace') || 'default' : '', name: textOf(metadata, 'name') || '(no name)' };
}

/** The value without fields that are null, at any depth: the Kubernetes API treats such a field as one that is left out. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isPlain(value)) return value;
  const kept = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(kept.map(([name, field]) => [name, withoutNulls(field)]));
}

const shownLength = 80;

/** A value as JSON for a message, shortened to 80 characters; undefined where there is none. */
export function showValue(value: unknown): string | undefined {
  const json = JSON.stringify(value);
  if (json === undefined || json.length <= shownLength) return json;
  return `${json.slice(0, shownLength - 1)}…`;
}
