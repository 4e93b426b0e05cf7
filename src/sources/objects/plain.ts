/** Looking into plain values whose shape is not known yet. */
import type { ObjectRef } from '../../model/name.js';

/** An object as JSON or YAML knows it. */
export type Plain = Readonly<Record<string, unknown>>;

/** Whether the value is an object, and neither a list nor null. */
export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text in a field, or empty where there is none. */
export function textOf(value: unknown, field: string): string {
  const found = isPlain(value) ? value[field] : undefined;
  return typeof found === 'string' ? found : '';
}

/** How messages name an object that may be broken: what can be read of its name. */
export function refOf(kind: string, namespaced: boolean, raw: unknown): ObjectRef {
  const metadata = isPlain(raw) ? raw['metadata'] : undefined;
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
