import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCertificates } from '../../../test/support/certificates.js';
import type { PodSubject, Refusal } from '../../identity/subject.js';
import { startHttps } from '../../webhook/server.js';
import { createPeerFetch, reportRoute } from './peer-report.js';

const pod = { id: 'weft-system/x', namespace: 'weft-system', pod: 'x', uid: 'u', serviceAccount: 'weft-controller', expiresAt: Number.POSITIVE_INFINITY };
const callers: Readonly<Record<string, PodSubject | Refusal>> = {
  'Bearer peer': pod,
  'Bearer app': { ...pod, namespace: 'shop' },
  'Bearer injector': { ...pod, serviceAccount: 'weft-injector' },
  'Bearer unknown': { refused: 'UNAVAILABLE', reason: 'come back' },
};

test('a report goes to replicas of Weft only, and is taken only from one with the right certificate', async (t) => {
  const { authority, leaves } = makeCertificates(['localhost']);
  const certificate = leaves.get('localhost');
  assert.ok(certificate);
  const report = { policies: [] };
  const authenticate = async ([header = '']: readonly string[]) => callers[header] ?? ({ refused: 'UNAUTHENTICATED', reason: 'who are you' } as const);
  const route = reportRoute({ authenticate, namespace: 'weft-system', serviceAccount: 'weft-controller', report: async () => report });
  const server = await startHttps({
    ...{ host: '127.0.0.1', port: 0, routes: { '/report': route }, certificate: { current: () => certificate, onChange: () => undefined } },
    onDefect: (_, error) => assert.fail(String(error)),
  });
  t.after(() => server.close(0));
  const peer = { id: 'x', address: `127.0.0.1:${server.port}` };
  const ask = (token: string, serverName = 'localhost', ca = authority) => createPeerFetch({ ca: () => ca, serverName, token: async () => token })(peer);
  assert.deepEqual(await ask('peer'), report);
  await assert.rejects(ask('app'), /403/);
  await assert.rejects(ask('injector'), /403/);
  await assert.rejects(ask('nobody'), /401: who are you/);
  await assert.rejects(ask('unknown'), /503: come back/);
  await assert.rejects(ask('peer', 'another.name'), /does not match/);
  await assert.rejects(ask('peer', 'localhost', makeCertificates([]).authority), /certificate/);
});

test('an address that sends token after token has four of them checked at a time, and another is heard meanwhile', async () => {
  const waiting: ((caller: Refusal) => void)[] = [];
  const authenticate = ([header]: readonly string[]) =>
    header === 'Bearer peer' ? Promise.resolve(pod) : new Promise<Refusal>((resolve) => waiting.push(resolve));
  const route = reportRoute({ authenticate, namespace: 'weft-system', serviceAccount: 'weft-controller', report: async () => ({ policies: [] }) });
  const ask = (peer: string, token: string) => route({ method: 'GET', headers: { authorization: `Bearer ${token}` }, peer, body: Buffer.alloc(0) });
  const flood = Array.from({ length: 50 }, (_, index) => ask('10.0.0.9', `made-up-${index}`));
  assert.equal(waiting.length, 4);
  assert.equal((await ask('10.0.0.1', 'peer')).status, 200);
  for (const answer of waiting) answer({ refused: 'UNAUTHENTICATED', reason: 'who are you' });
  assert.deepEqual(
    (await Promise.all(flood)).map(({ status }) => status),
    [...Array(4).fill(401), ...Array(46).fill(429)],
  );
  assert.equal((await ask('10.0.0.9', 'peer')).status, 200);
});
