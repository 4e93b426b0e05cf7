/** One request to an API server over HTTPS: connections kept alive, answers bounded, every failure an Error that names the server. */
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { KubeError, type KubeRequest } from './api.js';
import type { Credentials, Endpoint } from './endpoint.js';
import { isPlain, textOf } from './plain.js';

/** A request on its way: the answer's head has come. */
export interface Exchange {
  readonly response: IncomingMessage;
  /** An Error that says where the server is, out of one of Node's. */
  readonly explain: (error: unknown) => Error;
}

/** Kept connections are closed by this side first: kube-apiserver closes those that have been idle for 90 s. */
const idleMs = 30_000;

/** The largest answer that is taken in, in bytes; a page of 500 Pods of the largest size is smaller. */
export const maxAnswerBytes = 256 * 1024 * 1024;

const contentTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** A pool of connections. Its connections are told apart by the credentials that they were made with. */
export function createAgent(): Agent {
  return new Agent({ keepAlive: true, keepAliveMsecs: 10_000, timeout: idleMs });
}

/** Sends a request; resolves with the head of a good answer. Rejects with a KubeError when the server refuses, with another Error when it cannot be reached. */
export async function exchange(agent: Agent, endpoint: Endpoint, asked: KubeRequest, signal: AbortSignal): Promise<Exchange> {
  const explain = (error: unknown) => unreachable(endpoint, asked, signal, error);
  const credentials = await endpoint.credentials();
  const response = await send(agent, endpoint, credentials, asked, signal).catch((error: unknown) => {
    throw explain(error);
  });
  if ((response.statusCode ?? 500) < 300) return { response, explain };
  const body = await readAll(response, maxAnswerBytes).catch((error: unknown) => {
    throw explain(error);
  });
  throw refusal(asked, response.statusCode ?? 500, body);
}

/** A connection that was kept may have been closed by the server just now; what changes nothing is simply sent again. */
async function send(agent: Agent, endpoint: Endpoint, credentials: Credentials, asked: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
  try {
    return await sendOnce(agent, endpoint, credentials, asked, signal);
  } catch (error) {
    if (!(error instanceof StaleConnection) || asked.method !== 'GET' || signal.aborted) throw error;
    return sendOnce(agent, endpoint, credentials, asked, signal);
  }
}

/** A kept connection turned out to be closed. */
class StaleConnection extends Error {}

function sendOnce(agent: Agent, endpoint: Endpoint, credentials: Credentials, asked: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const body = asked.body === undefined ? undefined : Buffer.from(JSON.stringify(asked.body));
  const query = new URLSearchParams(asked.query).toString();
  return new Promise((resolve, reject) => {
    const outgoing = request(`${endpoint.server}${asked.path}${query && `?${query}`}`, {
      ...credentials.tls,
      agent: credentials.agent ?? agent,
      method: asked.method,
      headers: { accept: 'application/json', 'user-agent': 'weft', ...credentials.headers, ...bodyHeaders(asked, body) },
      signal,
    });
    outgoing.once('response', resolve);
    outgoing.on('error', (error) => reject(outgoing.reusedSocket ? new StaleConnection(error.message, { cause: error }) : error));
    outgoing.end(body);
  });
}

function bodyHeaders({ patch }: KubeRequest, body: Buffer | undefined): Readonly<Record<string, string>> {
  return body ? { 'content-type': patch ? contentTypes[patch] : 'application/json', 'content-length': String(body.length) } : {};
}

/** The whole body. Rejects when it breaks off or is larger than `limit` bytes. */
export function readAll(response: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) response.destroy(new Error(`the answer is larger than ${limit} bytes`));
      else chunks.push(chunk);
    });
    response.once('end', () => resolve(Buffer.concat(chunks)));
    response.on('error', reject);
    response.once('close', () => reject(new Error('the connection was closed in the middle of the answer')));
  });
}

/** What the API server says in its Status object, or, where a proxy has answered, in plain text. */
function refusal({ method, path }: KubeRequest, status: number, body: Buffer): KubeError {
  const said = parseOrText(body);
  const message = isPlain(said) ? textOf(said, 'message') : body.toString('utf8', 0, 200).trim();
  return new KubeError(status, textOf(said, 'reason') || 'Unknown', `${method} ${path}: ${message || `status ${status}`}`);
}

function parseOrText(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function unreachable({ server }: Endpoint, { method, path }: KubeRequest, signal: AbortSignal, error: unknown): Error {
  if (error instanceof KubeError) return error;
  const reason: unknown = signal.aborted ? signal.reason : error;
  const said = reason instanceof Error ? reason.message : String(reason);
  // Node's word for an answer that breaks off.
  const message = said === 'aborted' ? 'the connection was closed' : said;
  return new Error(`${method} ${path}: the API server at ${server} cannot be reached: ${message}`, { cause: error });
}
