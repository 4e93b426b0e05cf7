/** Looking into values whose shape nobody has checked: objects as the API server sends them. Pure. */

/** A value's fields. */
export type Raw = Readonly<Record<string, unknown>>;

/** Whether the value is an object, and neither a list nor null. */
export function isRecord(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a field, or undefined where there is none. */
export function fieldIn(value: unknown, field: string): unknown {
  return isRecord(value) ? value[field] : undefined;
}

/** The text of a field, or empty. */
export function textIn(value: unknown, field: string): string {
  const found = fieldIn(value, field);
  return typeof found === 'string' ? found : '';
}

/** The number of a field, or 0. */
export function numberIn(value: unknown, field: string): number {
  const found = fieldIn(value, field);
  return typeof found === 'number' ? found : 0;
}

/** The list of a field, or an empty one. */
export function listIn(value: unknown, field: string): readonly unknown[] {
  const found = fieldIn(value, field);
  return Array.isArray(found) ? found : [];
}
