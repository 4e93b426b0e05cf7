/** How replicas of Weft tell each other what their proxies say: the page `/report`, and who asks for it. */
import { type RequestOptions, request } from 'node:https';
import { isRefusal, type PodSubject, type Refusal } from '../../identity/subject.js';
import type { Peer, PeerReport } from '../../status/peers.js';
import type { HttpsAnswer, HttpsRoute } from '../../webhook/server.js';

/** What the page is made with. */
export interface ReportRouteOptions {
  /** Who the bearer of these `authorization` headers is. Never rejects. */
  readonly authenticate: (authorization: readonly string[]) => Promise<PodSubject | Refusal>;
  /** The namespace and ServiceAccount of the replicas; nobody else is answered. */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly report: () => Promise<PeerReport>;
}

const statusOf: Readonly<Record<Refusal['refused'], number>> = { UNAUTHENTICATED: 401, PERMISSION_DENIED: 403, UNAVAILABLE: 503 };

/** A replica asks one thing at a time. Each check of a token may be a question to the API server, for which proxies wait in line. */
const checksPerPeer = 4;

/** The route of `/report`. */
export function reportRoute({ authenticate, namespace, serviceAccount, report }: ReportRouteOptions): HttpsRoute {
  const checking = new Map<string, number>();
  const check = async (peer: string, authorization: readonly string[]) => {
    checking.set(peer, (checking.get(peer) ?? 0) + 1);
    const caller = await authenticate(authorization);
    const left = (checking.get(peer) ?? 1) - 1;
    if (left > 0) checking.set(peer, left);
    else checking.delete(peer);
    return caller;
  };
  return async ({ method, headers, peer }): Promise<HttpsAnswer> => {
    if (method !== 'GET') return { status: 405, body: 'Only GET is answered here\n' };
    if ((checking.get(peer) ?? 0) >= checksPerPeer) return { status: 429, body: 'Other tokens of this address are being checked; wait for them\n' };
    const caller = await check(peer, headers.authorization === undefined ? [] : [headers.authorization]);
    if (isRefusal(caller)) return { status: statusOf[caller.refused], body: `${caller.reason}\n` };
    const isPeer = caller.namespace === namespace && caller.serviceAccount === serviceAccount;
    return isPeer ? { status: 200, body: await report() } : { status: 403, body: 'Only replicas of Weft are answered here\n' };
  };
}

/** What is needed to ask a peer. */
export interface PeerAccess {
  /** The authorities, as PEM, of which one has signed the peer's certificate. */
  readonly ca: () => string;
  /** The name in that certificate. */
  readonly serverName: string;
  /** This replica's token; read anew each time, since it rotates. */
  readonly token: () => Promise<string>;
}

/** A peer that takes longer does not answer. */
const timeoutMs = 3_000;
const maxBytes = 32 * 1024 * 1024;

/** Asks peers for their reports. Rejects when one does not answer with a report in three seconds. */
export function createPeerFetch({ ca, serverName, token }: PeerAccess): (peer: Peer) => Promise<unknown> {
  return async ({ address }) => {
    const { hostname, port } = new URL(`https://${address}`);
    const headers = { authorization: `Bearer ${await token()}` };
    const text = await get({ host: hostname.replace(/^\[|\]$/g, ''), port, path: '/report', headers, ca: ca(), servername: serverName, minVersion: 'TLSv1.3' });
    return JSON.parse(text);
  };
}

function get(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > maxBytes) sent.destroy(new Error('the report is too large'));
        else parts.push(part);
      });
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`the peer answers ${response.statusCode}: ${text.slice(0, 200).trim()}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
