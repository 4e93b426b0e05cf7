/** A Kubernetes API server as Weft sees it: JSON in, JSON out. Every edge that talks to a cluster is given one of these. */

/** A request to the API server. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/api/v1/namespaces/shop/services`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** A value that JSON can hold. */
  readonly body?: unknown;
  /** For a PATCH: how the body is to be understood. */
  readonly patch?: 'merge' | 'strategic' | 'json' | 'apply' | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the request counts as failed; 30 s unless given. */
  readonly timeoutMs?: number | undefined;
}

/** One event of a watch, as the API server sends it; `object` has been parsed from JSON and not been checked. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/** A connection to one cluster. */
export interface KubeClient {
  /** The answer's body, parsed from JSON; text where it is no JSON, as that of `/readyz`. Rejects with a {@link KubeError} when the server refuses, with another Error when it cannot be reached. */
  readonly request: (request: KubeRequest) => Promise<unknown>;
  /**
   * Follows a collection from `query.resourceVersion` on. Resolves when the server ends the watch (which it does every few
   * minutes) or `signal` is aborted; rejects as `request` does. An ERROR event (410 Gone) rejects with a KubeError. `onOpen`
   * is called when the server has taken the watch, which may be long before the first event.
   */
  readonly watch: (
    path: string,
    query: Readonly<Record<string, string>>,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
    onOpen?: () => void,
  ) => Promise<void>;
  /** Where the API server is, for messages. */
  readonly server: string;
}

/** The API server has refused: `status` is the HTTP status, `reason` the CamelCase word of its Status object (`NotFound`, `Conflict`, `Expired`). */
export class KubeError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = 'KubeError';
    this.status = status;
    this.reason = reason;
  }
}
