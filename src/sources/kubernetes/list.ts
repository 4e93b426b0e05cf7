/** Reads a whole collection, page by page. */
import { type KubeClient, KubeError } from '../../kubernetes/api.js';
import { isPlain, textOf } from '../../kubernetes/plain.js';

/** How many objects a page has; of Weft's own kinds fewer, since one may have a megabyte and a half. */
const pageSize = (path: string) => (path.startsWith('/apis/weft.dev/') ? 50 : 500);

/** How often a list is begun again whose pages have expired halfway, before that counts as a failure. */
const restarts = 3;

/** Whoever takes the objects of a list. */
export interface ListTaker {
  /** A list begins, maybe again: what came before counts no more. */
  readonly begin: () => void;
  readonly object: (raw: unknown) => void;
}

/** Gives every object to the taker, one page in memory at a time; resolves to the version that a watch can go on from. Rejects as the client does. */
export async function listAll(client: KubeClient, path: string, taker: ListTaker, signal: AbortSignal): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      taker.begin();
      return await listOnce(client, path, taker, signal);
    } catch (error) {
      if (!isExpired(error) || attempt === restarts) throw error;
    }
  }
}

/** The API server no longer has the version that was asked for. */
export function isExpired(error: unknown): boolean {
  return error instanceof KubeError && error.status === 410;
}

async function listOnce(client: KubeClient, path: string, { object }: ListTaker, signal: AbortSignal): Promise<string> {
  for (let next = ''; ; ) {
    const query = { limit: String(pageSize(path)), ...(next ? { continue: next } : {}) };
    const page = await client.request({ method: 'GET', path, query, signal, timeoutMs: 60_000 });
    const items = isPlain(page) ? page['items'] : undefined;
    if (!isPlain(page) || !Array.isArray(items)) throw new Error(`GET ${path}: the answer is no list`);
    for (const item of items) object(item);
    next = textOf(page['metadata'], 'continue');
    if (!next) return textOf(page['metadata'], 'resourceVersion');
  }
}
