/** A value that does not fit the message it was given for. `path` is its place: `filter_chains[0].filters[1].name`. */
export class EncodeError extends Error {
  readonly path: string;
  constructor(path: string, problem: string) {
    super(`${path || '(top)'}: ${problem}`);
    this.name = 'EncodeError';
    this.path = path;
  }
}

/** Whether `value` is a plain object, whose fields can be read by name. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** A value in a few words, for an error. */
export function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
