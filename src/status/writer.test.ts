import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHands } from '../../test/support/hands.js';
import { type KubeClient, KubeError, type KubeRequest } from '../kubernetes/api.js';
import { fieldOf } from '../kubernetes/plain.js';
import { createStatusWriter } from './writer.js';

/** An API server with objects that have a resourceVersion and a status. Beside it, test/apiserver uses the real one. */
function fakeServer(names: readonly string[]) {
  const objects = new Map(names.map((name) => [`/x/${name}`, { version: 1, status: fieldOf({}, 'none') }]));
  const log: string[] = [];
  const trouble: (KubeError | Error)[] = [];
  const request = async ({ method, path, body }: KubeRequest): Promise<unknown> => {
    log.push(`${method} ${path}`);
    const error = trouble.shift();
    if (error) throw error;
    const key = path.replace(/\/status$/, '');
    const object = objects.get(key);
    if (!object) throw new KubeError(404, 'NotFound', 'it is gone');
    if (method === 'PUT') {
      if (fieldOf(fieldOf(body, 'metadata'), 'resourceVersion') !== String(object.version)) throw new KubeError(409, 'Conflict', 'it has changed');
      objects.set(key, { version: object.version + 1, status: fieldOf(body, 'status') });
    }
    const now = objects.get(key);
    return { metadata: { resourceVersion: String(now?.version) }, status: now?.status };
  };
  const client: KubeClient = { request, watch: async () => {}, server: 'fake' };
  return { client, objects, log, trouble, puts: () => log.filter((line) => line.startsWith('PUT')) };
}

function setUp(names: readonly string[] = ['a']) {
  const server = fakeServer(names);
  const hands = createHands(1000);
  const errors: string[] = [];
  let isHolder = true;
  const onError = (path: string, error: unknown) => errors.push(`${path} ${String(error)}`);
  const writer = createStatusWriter({ client: server.client, isHolder: () => isHolder, timers: hands, clock: hands.now, onError });
  const put = (name: string, value: number) =>
    writer.put({
      ...{ path: `/x/${name}`, apiVersion: 'weft.dev/v1alpha1', kind: 'TrafficPolicy', name, namespace: 'shop' },
      compose: (present) => (fieldOf(present, 'value') === value ? undefined : { value }),
    });
  return {
    ...server,
    hands,
    errors,
    writer,
    put,
    hold: (holds: boolean) => (isHolder = holds),
    statusValue: (name: string) => fieldOf(objectsOf(server, name), 'value'),
  };
}

function objectsOf({ objects }: ReturnType<typeof fakeServer>, name: string): unknown {
  return objects.get(`/x/${name}`)?.status;
}

test('what the server has already is not written', async () => {
  const { put, hands, log, writer, statusValue } = setUp();
  put('a', 1);
  await hands.turn(10_000);
  put('a', 1);
  await hands.turn(10_000);
  assert.deepEqual([log, writer.writes(), statusValue('a')], [['GET /x/a', 'PUT /x/a/status'], 1, 1]);
});

test('an object is written at most every two seconds, and then with the last state', async () => {
  const { put, hands, puts, statusValue } = setUp();
  for (let value = 1; value <= 19; value++) {
    put('a', value);
    await hands.turn(100);
  }
  assert.deepEqual([puts().length, statusValue('a')], [1, 1]);
  await hands.turn(200);
  assert.deepEqual([puts().length, statusValue('a')], [2, 19]);
});

test('many objects are written a few a second, none is left out', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `p${index}`);
  const { put, hands, puts, statusValue } = setUp(names);
  for (const name of names) put(name, 7);
  await hands.turn(1000);
  assert.ok(puts().length <= 15, `${puts().length} in the first second`);
  await hands.turn(12_000);
  assert.deepEqual(new Set(names.map(statusValue)), new Set([7]));
});

test('a conflict is resolved by reading again; one who was deleted is forgotten', async () => {
  const { put, hands, objects, log, statusValue, errors } = setUp(['a', 'b']);
  put('a', 1);
  await hands.turn(5000);
  objects.set('/x/a', { version: 90, status: undefined });
  put('a', 2);
  put('gone', 1);
  await hands.turn(5000);
  assert.equal(statusValue('a'), 2);
  assert.deepEqual(
    log.filter((line) => line.includes('/x/a')).map((line) => line.split(' ')[0]),
    ['GET', 'PUT', 'PUT', 'GET', 'PUT'],
  );
  assert.equal(log.filter((line) => line.includes('gone')).length, 1);
  assert.deepEqual(errors, []);
});

test('while the server is away it is tried ever more seldom, and all is written when it is back', async () => {
  const { put, hands, trouble, log, errors, statusValue } = setUp();
  trouble.push(...Array.from({ length: 5 }, () => new Error('connection refused')));
  put('a', 1);
  await hands.turn(14_000);
  assert.equal(log.length, 4);
  await hands.turn(20_000);
  assert.deepEqual([errors.length, statusValue('a')], [5, 1]);
});

test('what the server calls invalid is told once and not tried again', async () => {
  const { put, hands, trouble, log, errors } = setUp();
  put('a', 1);
  await hands.turn(3000);
  trouble.push(new KubeError(422, 'Invalid', 'no'));
  put('a', 2);
  await hands.turn(100_000);
  assert.deepEqual([log.length, errors], [3, ['/x/a KubeError: no']]);
});

test('only the holder writes, and what was wanted before it lost the Lease is dropped', async () => {
  const { put, hands, hold, log, statusValue } = setUp(['a', 'b']);
  put('a', 1);
  await hands.turn(100);
  put('a', 2);
  hold(false);
  put('b', 1);
  await hands.turn(10_000);
  assert.deepEqual([log.length, statusValue('a'), statusValue('b')], [2, 1, undefined]);
  hold(true);
  put('a', 3);
  await hands.turn(100);
  assert.deepEqual([log.slice(2), statusValue('a')], [['GET /x/a', 'PUT /x/a/status'], 3]);
});
