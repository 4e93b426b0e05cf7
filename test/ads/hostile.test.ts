import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { encode } from '../../src/envoy/encode.js';
import { urlOf } from '../../src/serve/types.js';
import { openDeaf } from '../support/deaf.js';
import { adsPath, type ByteStream, connect, nodeOf, openBytes, openDelta, openSotw, type XdsStream } from '../support/xds-client.js';
import type { Figures, Order } from './hostile-server.js';

/** The server's process, an honest client, and what a beat (a change until it is delivered) costs while nothing else goes on. */
interface Stage {
  readonly server: ChildProcess;
  readonly port: number;
  readonly honest: XdsStream<object>;
  readonly honestClient: grpc.Client;
}

let stage: Stage;
let beats = 0;

before(async () => {
  const server = fork(fileURLToPath(new URL('hostile-server.js', import.meta.url)), { execArgv: ['--expose-gc'] });
  const [port] = await once(server, 'message');
  const honestClient = connect(Number(port));
  const honest = openDelta(honestClient, 'honest');
  stage = { server, port: Number(port), honest, honestClient };
  honest.request('Cluster');
  await honest.take();
  for (let warm = 0; warm < 50; warm++) await beat();
});

after(() => {
  stage.honestClient.close();
  stage.server.disconnect();
});

let orders: Promise<unknown> = Promise.resolve();

/** Gives an order to the server, one after another; resolves when it is carried out. */
function order(what: Order): Promise<Figures> {
  const carriedOut = orders.then(async (): Promise<Figures> => {
    const answer = once(stage.server, 'message');
    stage.server.send(what);
    const [figures] = await answer;
    return figures;
  });
  orders = carriedOut;
  return carriedOut;
}

let lastBeat: Promise<unknown> = Promise.resolve();

/** Changes the world; resolves with the milliseconds until the honest client has the change. One at a time: of two, only the later might be delivered. */
function beat(): Promise<number> {
  const next = lastBeat.then(async () => {
    const began = performance.now();
    await order({ do: 'set', name: 'beat', value: String(++beats) });
    for (;;) {
      const { sent } = await stage.honest.take();
      if (sent.includes('beat')) return performance.now() - began;
    }
  });
  lastBeat = next;
  return next;
}

/**
 * Runs hostile work while the honest client goes on getting its changes: at least one beat is done while the work is under
 * way. Afterwards the server is alive, and its memory has grown by no more than `megabytes`.
 */
async function under(name: string, megabytes: number, work: (client: grpc.Client) => Promise<void>): Promise<void> {
  const quiet = median(await sequence(20));
  const { bytes } = await order({ do: 'figures' });
  const client = connect(stage.port);
  const progress = { isOver: false };
  const working = work(client).finally(() => {
    progress.isOver = true;
  });
  const during: number[] = [];
  do during.push(await beat());
  while (!progress.isOver);
  await working;
  await sequence(5);
  const grown = (await order({ do: 'figures' })).bytes - bytes;
  client.close();
  during.sort((a, b) => a - b);
  const worst = during.at(-1) ?? 0;
  const figures = `quiet ${quiet.toFixed(1)} ms, meanwhile ${median(during).toFixed(1)} ms (worst ${worst.toFixed(0)} ms, ${during.length} changes), memory ${(grown / 2 ** 20).toFixed(1)} MB`;
  process.stdout.write(`# ${name}: ${figures}\n`);
  assert.ok(grown < megabytes * 2 ** 20, `memory has grown: ${figures}`);
  assert.equal(stage.server.exitCode, null);
}

async function sequence(count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await beat());
  return times;
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

const delta = (fields: Parameters<typeof encode<'envoy.service.discovery.v3.DeltaDiscoveryRequest'>>[1]): Buffer =>
  encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', fields);

async function endOf(stream: ByteStream): Promise<grpc.status> {
  return (await stream.ended).code;
}

async function times(count: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < count; index++) await work(index);
}

test('garbage in place of requests ends the stream that sent it, with a reason', () =>
  under('garbage', 8, async (client) => {
    const nested = Array.from({ length: 3_000 }).reduce<Buffer>(
      (inner) => Buffer.concat([Buffer.from([0x2a, ...varint(inner.length)]), inner]),
      Buffer.alloc(0),
    );
    const values = Array.from({ length: 3_000 }).reduce<Buffer>((inner) => {
      const list = Buffer.concat([Buffer.from([0x0a, ...varint(inner.length)]), inner]);
      return Buffer.concat([Buffer.from([0x32, ...varint(list.length)]), list]);
    }, Buffer.alloc(0));
    const metadata = Buffer.concat([Buffer.from([0x12, ...varint(values.length)]), values]);
    const field = Buffer.concat([Buffer.from([0x0a, ...varint(metadata.length)]), metadata]);
    const struct = Buffer.concat([Buffer.from([0x1a, ...varint(field.length)]), field]);
    const garbage = [
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
      Buffer.from('not a request at all'),
      Buffer.alloc(100_000, 0x0a),
      Buffer.concat([Buffer.from([0x0a, ...varint(nested.length)]), nested]),
      Buffer.concat([Buffer.from([0x0a, ...varint(struct.length)]), struct]),
    ];
    for (const path of [adsPath.delta, adsPath.sotw]) {
      for (const bytes of garbage) {
        const stream = openBytes(client, path);
        stream.send(bytes);
        assert.equal(await endOf(stream), grpc.status.INVALID_ARGUMENT, bytes.subarray(0, 8).toString('hex'));
      }
    }
    const huge = openBytes(client, adsPath.delta);
    huge.send(Buffer.alloc(5 * 2 ** 20));
    assert.equal(await endOf(huge), grpc.status.RESOURCE_EXHAUSTED);
  }));

test('a node that is absent, huge, or no text is nobody, and is told so', () =>
  under('nodes', 8, async (client) => {
    const ids = ['', 'x'.repeat(3_000_000)];
    for (const id of ids) {
      const stream = openBytes(client, adsPath.delta);
      stream.send(delta({ node: { id }, type_url: urlOf('Cluster') }));
      assert.equal(await endOf(stream), grpc.status.INVALID_ARGUMENT);
    }
    const absent = openBytes(client, adsPath.delta);
    absent.send(delta({ type_url: urlOf('Cluster') }));
    assert.equal(await endOf(absent), grpc.status.INVALID_ARGUMENT);
    const surrogates = openBytes(client, adsPath.delta);
    const id = Buffer.from('eda080'.repeat(100), 'hex');
    surrogates.send(Buffer.concat([Buffer.from([0x0a, ...varint(id.length + 3), 0x0a, ...varint(id.length)]), id]));
    assert.equal(await endOf(surrogates), grpc.status.INVALID_ARGUMENT);
  }));

test('of a node with megabytes of metadata no more is kept than who it is', () =>
  under('large nodes', 8, async (client) => {
    const labels = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`label${index}`, 'x'.repeat(30)]));
    const first = delta({ node: { id: 'large', metadata: { labels }, user_agent_name: 'x'.repeat(500_000) }, type_url: urlOf('Cluster') });
    await times(10, async () => {
      const stream = openBytes(client, adsPath.delta);
      stream.send(first);
      await stream.next();
      stream.send(delta({ type_url: urlOf('RouteConfiguration'), resource_names_subscribe: ['s'] }));
      await stream.next();
    });
  }));

test('what a client claims to have from an earlier stream is bounded, however often it does so', () =>
  under('claims', 48, async (client) => {
    const requests = Array.from({ length: 40 }, (_, request) => {
      const claims = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`claim${request}-${index}-${'x'.repeat(200)}`, 'v'.repeat(200)]));
      return delta({ node: nodeOf('claims'), type_url: urlOf('VirtualHost'), initial_resource_versions: claims });
    });
    const stream = openBytes(client, adsPath.delta);
    for (const request of requests) stream.send(request);
    stream.send(delta({ type_url: urlOf('RouteConfiguration'), resource_names_subscribe: ['s'] }));
    while (!(await stream.next()).includes(urlOf('RouteConfiguration')));
  }));

test('types that there are not, and answers to what was never sent, are passed over', () =>
  under('unknown types', 8, async (client) => {
    const stream = openDelta(client, 'stranger');
    stream.request('RouteConfiguration', { resource_names_subscribe: ['s'] });
    await stream.next();
    await times(2_000, async (index) => {
      stream.call.write(delta({ type_url: `type.googleapis.com/none.${index}`, resource_names_subscribe: ['*', `n${index}`] }));
      stream.call.write(delta({ type_url: urlOf('Cluster'), response_nonce: String(index), error_detail: { code: 3, message: 'x'.repeat(1_000) } }));
    });
    stream.request('RouteConfiguration', { resource_names_subscribe: ['t'] });
    assert.deepEqual((await stream.next()).removed, ['t']);
    stream.cancel();
  }));

test('names of a megabyte, and a hundred thousand names at once, are answered and not remembered', () =>
  under('names', 64, async (client) => {
    const stream = openDelta(client, 'names');
    stream.request('VirtualHost', { resource_names_subscribe: ['x'.repeat(2 ** 20), 'y'.repeat(2 ** 20)] });
    let bodyless = 0;
    while (bodyless < 2) bodyless += (await stream.take()).bodyless.length;
    const names = Array.from({ length: 100_000 }, (_, index) => `n${index}`);
    stream.request('VirtualHost', { resource_names_subscribe: names });
    while (bodyless < 100_002) bodyless += (await stream.take()).bodyless.length;
    stream.request('ClusterLoadAssignment', { resource_names_subscribe: names });
    for (let removed = 0; removed < 100_000; ) removed += (await stream.take()).removed.length;
    stream.cancel();
  }));

test('a client that never reads is not listened to, costs bounded memory, skips what is outdated, and gets the latest state when it reads again', () =>
  under('never reads', 48, async () => {
    const deaf = openDeaf(stage.port, adsPath.delta);
    deaf.send(delta({ node: nodeOf('deaf'), type_url: urlOf('Cluster') }));
    for (let change = 0; change < 200; change++) await order({ do: 'big', kilobytes: 700, value: `v${change}.` });
    const { names } = await order({ do: 'figures' });
    for (let request = 0; request < 50; request++) {
      deaf.send(delta({ type_url: urlOf('VirtualHost'), resource_names_subscribe: Array.from({ length: 2_000 }, (_, index) => `deaf${request}-${index}`) }));
    }
    await sequence(20);
    assert.ok((await order({ do: 'figures' })).names <= names + 2_000, 'its requests are not taken while it does not read');
    const seen: string[] = [];
    while (seen.at(-1) !== 'v199') seen.push(...(/x(v\d+)\./.exec((await deaf.hear()).toString('latin1'))?.slice(1) ?? []));
    assert.ok(seen.length <= 4, `${seen.length} versions were read for 200 changes`);
    deaf.close();
    await order({ do: 'big', kilobytes: 1, value: '' });
  }));

test('a client that never acknowledges goes on being served', () =>
  under('never acknowledges', 8, async (client) => {
    const stream = openDelta(client, 'mute');
    stream.request('Cluster');
    await stream.next();
    await times(600, async (index) => {
      await order({ do: 'set', name: 'beat', value: `mute${index}` });
      await stream.next();
    });
    stream.cancel();
  }));

test('a client that refuses everything is told each thing once, and its words are not hoarded', () =>
  under('refuses everything', 24, async (client) => {
    const stream = openDelta(client, 'nay');
    stream.request('VirtualHost', { resource_names_subscribe: Array.from({ length: 200 }, (_, index) => `v${index}`) });
    for (let refusals = 0; refusals < 201; refusals++) {
      let reply = await stream.next();
      while (reply.sent.length === 0) reply = await stream.next();
      stream.nack(reply, 'no '.repeat(300_000));
    }
    stream.request('RouteConfiguration', { resource_names_subscribe: ['s'] });
    let reply = await stream.next();
    for (; reply.type !== 'RouteConfiguration'; reply = await stream.next()) assert.deepEqual(reply.sent, []);
    stream.cancel();
  }));

test('sotw: stale nonces are passed over', () =>
  under('stale nonces', 8, async (client) => {
    const stream = openSotw(client, 'stale');
    stream.request('Cluster', { resource_names: ['beat'] });
    await stream.take();
    await times(5_000, async (index) => stream.request('Cluster', { resource_names: [`n${index}`], response_nonce: `stale${index}` }));
    stream.request('RouteConfiguration', { resource_names: ['s'] });
    stream.cancel();
  }));

test('a thousand streams that are opened and dropped, at any point, leave nothing behind', () =>
  under('open and drop', 16, async (client) => {
    const quiet = (await order({ do: 'figures' })).streams;
    await times(50, async (round) => {
      const streams = Array.from({ length: 20 }, (_, index) => {
        const stream = openDelta(client, `drop${round % 10}`);
        if (index % 4 > 0) stream.request('Cluster');
        if (index % 4 > 1) stream.request('VirtualHost', { resource_names_subscribe: ['v1'] });
        return { stream, index };
      });
      await Promise.all(streams.filter(({ index }) => index % 4 === 3).map(({ stream }) => stream.next()));
      for (const { stream } of streams) stream.cancel();
      await Promise.all(streams.map(({ stream }) => stream.ended));
    });
    while ((await order({ do: 'figures' })).streams > quiet);
  }));

test('streams that say nothing are ended, and too many are turned away', () =>
  under('silence and crowds', 32, async (client) => {
    const silent = openBytes(client, adsPath.delta);
    assert.equal(await endOf(silent), grpc.status.DEADLINE_EXCEEDED);
    const crowd = Array.from({ length: 1_300 }, () => openBytes(client, adsPath.delta));
    const turnedAway = await Promise.race(crowd.map((stream) => stream.ended));
    assert.equal(turnedAway.code, grpc.status.RESOURCE_EXHAUSTED);
    for (const stream of crowd) stream.cancel();
    await Promise.all(crowd.map((stream) => stream.ended));
  }));

function varint(value: number): number[] {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
