/** Looking into JSON whose shape is not known yet. */

/** Whether the value is an object, and neither a list nor null. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text in a field, or empty where there is none. */
export function textOf(value: unknown, field: string): string {
  const found = isPlain(value) ? value[field] : undefined;
  return typeof found === 'string' ? found : '';
}
