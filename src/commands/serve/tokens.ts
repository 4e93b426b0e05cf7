/** Who may call a mesh without a cluster: a file of tokens, read again when it changes. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Refusal, unauthenticated } from '../../identity/subject.js';
import type { Identity } from '../../model/spiffe.js';

/** A caller with a token. */
export interface TokenSubject {
  readonly identity: Identity;
  /** The SHA-256 of the token. */
  readonly token: string;
}

/** The tokens of a file. */
export interface TokenFile {
  /** Takes all values of an `authorization` header. */
  readonly authenticate: (authorization: readonly (string | Buffer)[]) => TokenSubject | Refusal;
  /** Whether the token is still in the file, for the same identity. */
  readonly isGood: (subject: TokenSubject) => boolean;
  readonly close: () => void;
}

/** How a file of tokens is followed. */
export interface TokenFileOptions {
  readonly path: string;
  /** The content has changed. */
  readonly onChange: () => void;
  /** Told what is wrong with the file while its last good content stays in use. */
  readonly onError: (error: unknown) => void;
  /** How often it is read, in milliseconds; two seconds unless given. */
  readonly intervalMs?: number | undefined;
}

const remedy = 'send `authorization: Bearer` with a token of --tokens';

/** Reads the file. Rejects with an Error that names the line that is wrong, and never what is in it. */
export async function followTokens({ path, onChange, onError, intervalMs = 2_000 }: TokenFileOptions): Promise<TokenFile> {
  const closing = new AbortController();
  let text = await readFile(path, 'utf8');
  let identities = readTokens(text, path);
  const refresh = async () => {
    const next = await readFile(path, 'utf8');
    if (next === text) return;
    identities = readTokens(next, path);
    text = next;
    onChange();
  };
  const follow = async () => {
    while (!closing.signal.aborted) {
      await delay(intervalMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      if (!closing.signal.aborted) await refresh().catch(onError);
    }
  };
  void follow();
  return {
    authenticate: ([header, ...more]) => {
      const token = typeof header === 'string' && more.length === 0 ? /^Bearer (\S+)$/.exec(header)?.[1] : undefined;
      const hash = digest(token ?? '');
      const identity = identities.get(hash);
      return token && identity ? { identity, token: hash } : unauthenticated(`there is no token, or nobody has this one; ${remedy}`);
    },
    isGood: ({ token, identity }) => JSON.stringify(identities.get(token)) === JSON.stringify(identity),
    close: () => closing.abort(),
  };
}

/** Lines of `TOKEN NAMESPACE/SERVICEACCOUNT`; empty ones and those that begin with # do not count. Tokens are kept as their hashes, so looking one up tells nothing of the others. */
function readTokens(text: string, path: string): ReadonlyMap<string, Identity> {
  const identities = new Map<string, Identity>();
  text.split('\n').forEach((line, index) => {
    if (!line.trim() || line.startsWith('#')) return;
    const [, token = '', namespace = '', serviceAccount = ''] = /^(\S+)\s+([a-z0-9-]+)\/([a-z0-9.-]+)\s*$/.exec(line) ?? [];
    if (!token) throw new Error(`${path}, line ${index + 1} is no token; write TOKEN NAMESPACE/SERVICEACCOUNT`);
    if (token.length < 16)
      throw new Error(`${path}, line ${index + 1}: the token has ${token.length} characters and could be guessed; use 16 random ones or more`);
    identities.set(digest(token), { namespace, serviceAccount });
  });
  return identities;
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
