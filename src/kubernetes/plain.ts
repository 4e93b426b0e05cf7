/** Looking into JSON and YAML whose shape nobody has checked. Pure. */

/** An object's fields. */
export type Plain = Readonly<Record<string, unknown>>;

/** Whether the value is an object, and neither a list nor null. */
export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a field, or undefined where there is none. */
export function fieldOf(value: unknown, field: string): unknown {
  return isPlain(value) ? value[field] : undefined;
}

/** The text in a field, or empty where there is none. */
export function textOf(value: unknown, field: string): string {
  const found = fieldOf(value, field);
  return typeof found === 'string' ? found : '';
}

/** The number in a field, or 0. */
export function numberOf(value: unknown, field: string): number {
  const found = fieldOf(value, field);
  return typeof found === 'number' ? found : 0;
}

/** The list in a field, or an empty one. */
export function listOf(value: unknown, field: string): readonly unknown[] {
  const found = fieldOf(value, field);
  return Array.isArray(found) ? found : [];
}
