/** Who may call the server: every method asks, nothing happens before the answer, and what is open ends with its credential. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { decode } from '../../src/envoy/decode.js';
import { issueServing, issueSvid, makeAuthority } from '../../src/identity/x509.js';
import { spiffeId } from '../../src/model/spiffe.js';
import { fixedCertificate } from '../../src/serve/certificate.js';
import type { Bearer, CallMetadata, Refusal } from '../../src/serve/subject.js';
import { validFor } from '../support/authority.js';
import type { Cleanup } from '../support/envoy.js';
import { eventually } from '../support/mesh.js';
import { line } from '../support/peer.js';
import { bearer, walk } from '../support/walk.js';
import { classOf } from '../support/world.js';
import { adsPath, ask, connect, openBytes, openDelta, openSotw } from '../support/xds-client.js';
import { type Guard, startGuardedServer, type TestServerOptions } from '../support/xds-server.js';

interface Named extends Bearer {
  readonly id: string;
}

const unknown: Refusal = { refused: 'UNAUTHENTICATED', reason: 'a valid token is needed', detail: 'for the log' };

/** The token is the name of the caller; `bad` is nobody's. */
async function byName(metadata: CallMetadata): Promise<Named | Refusal> {
  const [header] = metadata.get('authorization');
  const name = String(header).replace('Bearer ', '');
  return header === undefined || name === 'bad' ? unknown : { id: name };
}

async function start(t: Cleanup, options: TestServerOptions, guard: Guard<Named> = { authenticate: byName }) {
  const server = await startGuardedServer<Named>(options, guard);
  const client = connect(server.port);
  t.after(async () => {
    client.close();
    await server.close();
  });
  return { server, client };
}

/** A promise and what settles it. */
function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test('every method asks who the caller is, tells the log, and a method that there is not answers nothing', async (t) => {
  const { server, client } = await start(t, {});
  assert.equal(server.methods.length, 5);
  for (const metadata of [new grpc.Metadata(), bearer('bad')]) {
    for (const end of await walk(server.methods, client, metadata)) assert.equal(end.code, grpc.status.UNAUTHENTICATED);
    for (const path of ['/grpc.health.v1.Health/Watch', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', '/no/thing', '/']) {
      const answer = await ask(client, path, Buffer.alloc(0), metadata);
      assert.ok('code' in answer && answer.code === grpc.status.UNIMPLEMENTED, path);
    }
  }
  const told = server.refusedCalls.map(({ method, reason, detail, subject }) => ({ method, reason, detail, subject }));
  const expected = server.methods.map(({ path: method }) => ({ method, reason: unknown.reason, detail: unknown.detail, subject: undefined }));
  assert.deepEqual(sorted(told), sorted([...expected, ...expected]));
  assert.equal(server.registry.size(), 0);
  assert.deepEqual(await ask(client, '/grpc.health.v1.Health/Check', Buffer.alloc(0), bearer('web')), Buffer.from([8, 1]));
});

function sorted<Call extends { readonly method: string }>(calls: readonly Call[]): readonly Call[] {
  return [...calls].sort((a, b) => (a.method < b.method ? -1 : 1));
}

test('what comes while the caller is being checked waits: it is not lost, and nothing is done before', async (t) => {
  const check = deferred<Named>();
  const asked = deferred<void>();
  const classified: string[] = [];
  const guard: Guard<Named> = {
    authenticate: () => {
      asked.resolve();
      return check.promise;
    },
    classify: ({ id = '' }, subject) => {
      classified.push(`${id} ${subject.id}`);
      return classOf('a', id);
    },
  };
  const { server, client } = await start(t, {}, guard);
  server.world.set('Cluster', 'c', '1');
  const envoy = openDelta(client);
  envoy.request('Cluster', { resource_names_subscribe: ['c'] });
  envoy.request('VirtualHost', { resource_names_subscribe: ['none'] });
  await asked.promise;
  assert.deepEqual(classified, []);
  check.resolve({ id: 'web' });
  assert.deepEqual([line(await envoy.take()), line(await envoy.take())], ['Cluster +c', 'VirtualHost ?none']);
  assert.deepEqual(classified, ['web web']);
});

test('a stream that its client has given up while it was checked is not opened', async (t) => {
  const check = deferred<Named>();
  const asked = deferred<void>();
  const guard: Guard<Named> = {
    authenticate: async (metadata) => {
      if (String(metadata.get('authorization')[0]).endsWith('later')) return { id: 'later' };
      asked.resolve();
      return check.promise;
    },
  };
  const { server, client } = await start(t, { serveLimits: { streamsPerSubject: 1 } }, guard);
  const stream = openDelta(client);
  stream.request('Cluster');
  await asked.promise;
  stream.cancel();
  await stream.ended;
  const second = openDelta(client, 'web', bearer('later'));
  second.request('Cluster');
  await second.take();
  check.resolve({ id: 'later' });
  second.request('VirtualHost', { resource_names_subscribe: ['none'] });
  assert.equal(line(await second.take()), 'VirtualHost ?none');
  assert.equal(server.registry.size(), 1);
  assert.deepEqual(server.refusedCalls, []);
});

test('a check that fails or takes too long is no verdict: the client is asked to come back', async (t) => {
  const answers = [() => Promise.reject(new Error('broken')), () => new Promise<Named>(() => undefined)];
  for (const authenticate of answers) {
    const { server, client } = await start(t, { serveLimits: { checkMs: 20 } }, { authenticate });
    for (const end of await walk(server.methods, client, new grpc.Metadata())) assert.equal(end.code, grpc.status.UNAVAILABLE);
    assert.equal(server.refusedCalls.length, server.methods.length);
  }
});

test('one address cannot have the server check without end, nor one subject open streams without end', async (t) => {
  const check = deferred<Named>();
  const { client } = await start(t, { serveLimits: { checksPerPeer: 2 } }, { authenticate: () => check.promise });
  const calls = [1, 2, 3].map(() => ask(client, '/grpc.health.v1.Health/Check'));
  const first = await Promise.race(calls);
  assert.ok('code' in first && first.code === grpc.status.RESOURCE_EXHAUSTED);
  check.resolve({ id: 'web' });
  assert.equal((await Promise.all(calls)).filter((answer) => Buffer.isBuffer(answer)).length, 2);

  const { client: other } = await start(t, { serveLimits: { streamsPerSubject: 1 } });
  const open = openDelta(other, 'web', bearer('web'));
  open.request('Cluster');
  await open.take();
  assert.deepEqual(await openBytes(other, adsPath.delta, bearer('web')).ended, { code: grpc.status.RESOURCE_EXHAUSTED, details: 'web has 1 streams already' });
  const neighbour = openDelta(other, 'db', bearer('db'));
  neighbour.request('Cluster');
  await neighbour.take();
});

test('a stream ends with the credential that it was opened with', { timeout: 20_000 }, async (t) => {
  let now = 1_000;
  const { server, client } = await start(t, {}, { authenticate: async () => ({ id: 'web', expiresAt: 2_000 }), clock: () => now });
  const envoy = openDelta(client);
  envoy.request('Cluster');
  await envoy.take();
  now = 2_000;
  assert.deepEqual(await envoy.ended, { code: grpc.status.UNAUTHENTICATED, details: 'the credential of this stream has expired; come back with a new one' });
  assert.equal(server.registry.size(), 0);
  assert.deepEqual(
    server.refusedCalls.map(({ subject }) => subject?.id),
    ['web'],
  );
});

test('a credential that is taken back while its stream is open ends it; while nobody can say, the stream goes on', { timeout: 20_000 }, async (t) => {
  const time = { ahead: 0 };
  const taken: Refusal = { refused: 'UNAUTHENTICATED', reason: 'the ServiceAccount of this token is gone' };
  const away: Refusal = { refused: 'UNAVAILABLE', reason: 'the API server is away' };
  let verdict: Refusal | undefined;
  let asked = 0;
  const authenticate = async (metadata: CallMetadata) => {
    asked++;
    return String(metadata.get('authorization')) === 'Bearer web' && verdict ? verdict : byName(metadata);
  };
  const { server, client } = await start(t, { serveLimits: { recheckMs: 60_000 } }, { authenticate, clock: () => Date.now() + time.ahead });
  const variants = [openDelta, openSotw];
  const streams = ['web', 'db'].flatMap((name) => variants.map((open) => ({ name, stream: open(client, name, bearer(name)) })));
  for (const { stream } of streams) {
    stream.request('Cluster');
    await stream.take();
  }
  assert.equal(asked, streams.length);
  verdict = away;
  await eventually(async () => {
    time.ahead += 1_000;
    return asked >= 2 * streams.length;
  });
  assert.equal(server.refusedCalls.length, 0);
  verdict = taken;
  await eventually(async () => {
    time.ahead += 1_000;
    return server.refusedCalls.length >= variants.length;
  });
  for (const { name, stream } of streams) {
    if (name === 'web') assert.deepEqual(await stream.ended, { code: grpc.status.UNAUTHENTICATED, details: taken.reason });
    stream.cancel();
  }
  assert.deepEqual(
    server.refusedCalls.map(({ subject, reason }) => [subject?.id, reason]),
    variants.map(() => ['web', taken.reason]),
  );
});

test('by five minutes after a credential was found to be good it is asked about anew, also where its stream began later', { timeout: 20_000 }, async (t) => {
  const time = { now: 1_000_000 };
  const asked: (readonly [string, string])[] = [];
  const authenticate = async (metadata: CallMetadata, _: string, how?: 'Anew') => {
    const name = String(metadata.get('authorization')).replace('Bearer ', '');
    asked.push([name, how ?? 'Remembered']);
    return how ? unknown : { id: name, verifiedAt: name === 'old' ? time.now - 299_000 : time.now };
  };
  const { server, client } = await start(t, {}, { authenticate, clock: () => time.now });
  const open = async (name: string) => {
    const stream = openDelta(client, name, bearer(name));
    stream.request('Cluster');
    await stream.take();
    return stream;
  };
  const fresh = await open('fresh');
  const old = await open('old');
  assert.equal((await old.ended).code, grpc.status.UNAUTHENTICATED);
  assert.deepEqual(asked, [
    ['fresh', 'Remembered'],
    ['old', 'Remembered'],
    ['old', 'Anew'],
  ]);
  time.now += 280_000;
  assert.equal((await fresh.ended).code, grpc.status.UNAUTHENTICATED);
  assert.deepEqual(
    server.refusedCalls.map(({ subject, reason }) => [subject?.id, reason]),
    ['old', 'fresh'].map((name) => [name, unknown.reason]),
  );
});

test('a certificate of a workload opens nothing, on any method: the port does not even ask for one', { timeout: 20_000 }, async (t) => {
  const root = await makeAuthority(validFor());
  const id = spiffeId('cluster.local', { namespace: 'shop', serviceAccount: 'web' });
  const [own, leaf] = await Promise.all([issueServing(root, ['localhost'], validFor()), issueSvid(root, id, validFor())]);
  const server = await startGuardedServer<Named>({ tls: { certificate: fixedCertificate(own) } }, { authenticate: byName });
  const [ca, key, certificate] = [root.certificate, leaf.key, leaf.certificate].map((text) => Buffer.from(text));
  const client = connect(server.port, grpc.credentials.createSsl(ca, key, certificate));
  t.after(async () => {
    client.close();
    await server.close();
  });
  for (const metadata of [new grpc.Metadata(), bearer('bad')])
    for (const { path, code } of await walk(server.methods, client, metadata)) assert.equal(code, grpc.status.UNAUTHENTICATED, path);
  assert.equal(server.refusedCalls.length, 2 * server.methods.length);
  assert.ok(server.refusedCalls.every(({ reason, peer, subject }) => reason === unknown.reason && peer !== '' && subject === undefined));
  for (const { path, code } of await walk(server.methods, client, bearer('db'))) assert.equal(code, grpc.status.OK, path);
});

test('the streams of a subject can be ended, and those of others go on', async (t) => {
  const { server, client } = await start(t, {});
  const streams = ['web', 'db'].map((name) => openDelta(client, name, bearer(name)));
  for (const stream of streams) {
    stream.request('Cluster');
    await stream.take();
  }
  assert.equal(
    server.endStreamsOf(({ id }) => id === 'web', 'the pod is gone'),
    1,
  );
  assert.deepEqual(await streams[0]?.ended, { code: grpc.status.UNAUTHENTICATED, details: 'the pod is gone' });
  streams[1]?.request('VirtualHost', { resource_names_subscribe: ['none'] });
  assert.equal(line((await streams[1]?.take()) ?? assert.fail()), 'VirtualHost ?none');
});

test('a node that is not the subject is refused, and nobody sees the status of another', async (t) => {
  const isHim = ({ id }: { readonly id?: string | undefined }, subject: Named) => id === subject.id;
  const guard: Guard<Named> = {
    authenticate: byName,
    classify: (node, subject) => (isHim(node, subject) ? classOf('a', subject.id) : { refused: 'PERMISSION_DENIED', reason: `node.id is not ${subject.id}` }),
    maySee: (subject, node) => isHim(node, subject),
  };
  const { server, client } = await start(t, {}, guard);
  const impostor = openDelta(client, 'db', bearer('web'));
  impostor.request('Cluster');
  assert.deepEqual(await impostor.ended, { code: grpc.status.PERMISSION_DENIED, details: 'node.id is not web' });
  assert.deepEqual(
    server.refusedCalls.map(({ reason, subject }) => [reason, subject?.id]),
    [['node.id is not web', 'web']],
  );
  for (const name of ['web', 'db']) {
    const stream = openDelta(client, name, bearer(name));
    stream.request('Cluster');
    await stream.take();
  }
  const path = '/envoy.service.status.v3.ClientStatusDiscoveryService/';
  const unary = await ask(client, `${path}FetchClientStatus`, Buffer.alloc(0), bearer('db'));
  const stream = openBytes(client, `${path}StreamClientStatus`, bearer('db'));
  stream.send(Buffer.alloc(0));
  assert.ok(Buffer.isBuffer(unary));
  for (const answer of [unary, await stream.next()]) {
    const { config = [] } = decode('envoy.service.status.v3.ClientStatusResponse', answer);
    assert.deepEqual(
      config.map(({ node }) => node?.id),
      ['db'],
    );
  }
});
