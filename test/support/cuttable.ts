/** A connection to an API server that a test can cut, as when the network to one replica fails. */
import { type KubeClient, KubeError } from '../../src/kubernetes/api.js';

/** The connection. */
export interface Cuttable {
  readonly client: KubeClient;
  /** Ends every watch and refuses every request, until `restore`. */
  readonly cut: () => void;
  readonly restore: () => void;
  /** The statuses of all refusals that the API server itself has sent to a watch. */
  readonly refusals: readonly number[];
}

/** A connection that is not cut yet. */
export function cuttable(inner: KubeClient): Cuttable {
  const open = new Set<AbortController>();
  const refusals: number[] = [];
  let isCut = false;
  const check = () => {
    if (isCut) throw new Error('the network is cut');
  };
  const client: KubeClient = {
    server: inner.server,
    request: async (request) => {
      check();
      return inner.request(request);
    },
    watch: async (path, query, onEvent, signal, onOpen) => {
      check();
      const own = new AbortController();
      const abort = () => own.abort();
      open.add(own);
      signal.addEventListener('abort', abort, { once: true });
      try {
        await inner.watch(path, query, onEvent, own.signal, onOpen);
        check();
      } catch (error) {
        if (error instanceof KubeError) refusals.push(error.status);
        throw error;
      } finally {
        open.delete(own);
        signal.removeEventListener('abort', abort);
      }
    },
  };
  return {
    ...{ client, refusals },
    cut: () => {
      isCut = true;
      for (const each of open) each.abort();
    },
    restore: () => {
      isCut = false;
    },
  };
}
