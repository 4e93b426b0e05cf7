/** Where an API server is, and what is shown to it. */
import type { Agent } from 'node:https';
import type { SecureContextOptions } from 'node:tls';

/** What a request carries so that the API server knows who asks, and what it is checked against. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> & {
    readonly rejectUnauthorized?: boolean | undefined;
    readonly servername?: string | undefined;
  };
  /** Where the server is reached by way of a proxy. */
  readonly agent?: Agent | undefined;
}

/** An API server and the way to its credentials. */
export interface Endpoint {
  /** `https://10.96.0.1:443`, without a slash at the end; it may have a path. */
  readonly server: string;
  /** What to show now; credentials that have been replaced meanwhile are read again. Rejects with an Error that says what to do. */
  readonly credentials: () => Promise<Credentials>;
}

/** How long credentials are kept before they are read again, in milliseconds: the kubelet renews a token minutes before it expires. */
const keptMs = 30_000;

/** The same credentials for half a minute, asked for once however many want them; after a failure they are asked for again. */
export function keepForAWhile(read: () => Promise<Credentials>, now: () => number = () => performance.now()): () => Promise<Credentials> {
  let kept: Promise<Credentials> | undefined;
  let until = 0;
  return () => {
    if (kept && now() < until) return kept;
    const fresh = read();
    kept = fresh;
    until = now() + keptMs;
    fresh.catch(() => {
      if (kept === fresh) kept = undefined;
    });
    return fresh;
  };
}
