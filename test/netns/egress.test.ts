/** What a captured app may call beyond the mesh, and that switching it touches nothing else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { meshObject, put, service, slice } from '../support/manifests.js';
import { type CapturedMesh, quickDrain, startCapturedMesh } from './captured-mesh.js';
import { externalAddress } from './network.js';

const web = { address: '10.96.0.10', port: 80 };
const db = { address: '10.96.0.12', port: 3306 };
const outsideTcp = { address: externalAddress, port: 8025 };
const outsideHttp = { address: externalAddress, port: 80 };

const cleanups: (() => Promise<void>)[] = [];
let mesh: CapturedMesh;

/** Services for what is outside, their endpoints written by hand. */
const objects = [
  service('default', 'kubernetes', '10.96.0.1', [{ name: 'https', port: 443 }]),
  slice('default', 'kubernetes', { name: 'https', port: 6443 }, [externalAddress]),
  service('shop', 'postgres', 'None', [{ name: 'postgres', port: 5432 }]),
  slice('shop', 'postgres', { name: 'postgres', port: 5432 }, [externalAddress]),
  service('shop', 'partner', 'None', [{ name: 'http', port: 8080 }]),
  slice('shop', 'partner', { name: 'http', port: 8080 }, [externalAddress]),
];

before(async () => {
  mesh = await startCapturedMesh({ after: (hook) => void cleanups.push(hook) }, { args: quickDrain, objects });
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const httpOf = (to: { readonly address: string; readonly port: number }) => mesh.client.run('http', { ...to, headers: { host: 'any.example' } });
const greeting = async (to: { readonly address: string; readonly port: number }) => (await mesh.client.run('tcp', { ...to, say: 'hello' }))[0];
const egress = (value: string) => put(mesh.manifests, 'egress', [meshObject({ egress: value })]);

async function untilAnswered(to: typeof outsideHttp, status: number): Promise<void> {
  while ((await httpOf(to)).status !== status);
}

/** Opens a connection on which nothing will be said, and sees it closed without an answer. */
async function assertRefused(to: { readonly address: string; readonly port: number }): Promise<void> {
  await mesh.client.run('open', { name: 'refused', ...to });
  assert.equal(await mesh.client.run('untilClosed', { name: 'refused' }), '');
}

async function assertKnown(): Promise<void> {
  assert.equal((await httpOf(web)).status, 200);
  assert.match(await greeting(db), /^db greets /);
  assert.match(await greeting({ address: '10.96.0.1', port: 443 }), /^apiserver greets /);
  assert.match(await greeting({ address: externalAddress, port: 5432 }), /^postgres greets /);
  assert.equal((await httpOf({ address: externalAddress, port: 8080 })).status, 200);
}

async function assertOpen(): Promise<void> {
  const stranger = mesh.stranger.address;
  for (const to of [outsideHttp, { address: stranger, port: 80 }]) assert.equal((await httpOf(to)).status, 200);
  for (const to of [outsideTcp, { address: stranger, port: 9999 }]) assert.match(await greeting(to), / greets /);
}

const ask = 'GET / HTTP/1.1\r\nhost: web.shop\r\n\r\n';
const long = {
  tcp: () => mesh.client.run('exchange', { name: 'db', say: 'still there?', until: 'still there?' }),
  http: async () => {
    const answer = await mesh.client.run('exchange', { name: 'web', say: ask, until: '}' });
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n/);
    assert.doesNotMatch(answer, /^connection: close/im);
  },
};

test('without a Mesh object everything may be called', async () => {
  await assertKnown();
  await assertOpen();
});

test('RegistryOnly refuses what the mesh does not know, and is taken back, while the connections within the mesh go on', async (t) => {
  await mesh.client.run('open', { name: 'db', ...db });
  await mesh.client.run('open', { name: 'web', ...web });
  await mesh.client.run('exchange', { name: 'db', say: '', until: '\n' });
  await mesh.client.run('open', { name: 'outside', ...outsideTcp });
  await long.http();
  await egress('RegistryOnly');
  await untilAnswered(outsideHttp, 502);

  await t.test('a request is answered with 502, what it was about, and what to do', async () => {
    for (const to of [outsideHttp, { address: mesh.stranger.address, port: 80 }]) {
      await untilAnswered(to, 502);
      const { body } = await httpOf(to);
      assert.ok(body.includes(`${to.address}:${to.port}`) && body.includes('RegistryOnly') && body.includes('To allow'), body);
    }
  });

  await t.test('a connection is ended at once', async () => {
    await assertRefused(outsideTcp);
    await assertRefused({ address: mesh.stranger.address, port: 9999 });
  });

  await t.test('what a Service stands for is known, wherever it is', assertKnown);

  await t.test('a connection from before to an outside address is drained, and no other', async () => {
    await mesh.client.run('untilClosed', { name: 'outside' });
    await long.tcp();
    await long.http();
  });

  await t.test('taken back, everything may be called again', async () => {
    await egress('Passthrough');
    await untilAnswered(outsideHttp, 200);
    await untilAnswered({ address: mesh.stranger.address, port: 80 }, 200);
    await assertOpen();
    await long.tcp();
    await long.http();
  });
});
