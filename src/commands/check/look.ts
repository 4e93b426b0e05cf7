/** Looking into what the API server answers, whose shape nobody guarantees. */
import { type KubeClient, KubeError } from '../../kubernetes/api.js';
import { isPlain } from '../../kubernetes/plain.js';

/** What lies at a path of fields; undefined where one of them is missing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, field) => (isPlain(found) && Object.hasOwn(found, field) ? found[field] : undefined), value);
}

/** The text there, or empty. */
export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The number there, or 0. */
export function numberAt(value: unknown, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : 0;
}

/** The list there, or an empty one. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The name of an object. */
export function nameOf(object: unknown): string {
  return textAt(object, 'metadata', 'name');
}

/** The object at `path`, or undefined when there is none. Rejects as the client does otherwise. */
export async function find(client: KubeClient, path: string): Promise<unknown> {
  return client.request({ method: 'GET', path }).catch(absent);
}

/** The items of the collection at `path`; none where its kind is unknown. */
export async function findAll(client: KubeClient, path: string, query?: Readonly<Record<string, string>>): Promise<readonly unknown[]> {
  return listAt(await client.request({ method: 'GET', path, query }).catch(absent), 'items');
}

function absent(error: unknown): undefined {
  if (error instanceof KubeError && error.status === 404) return undefined;
  throw error;
}
