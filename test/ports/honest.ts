/** Weft's ports in a process of their own, and an honest client of each, whose every call has to be answered while others misbehave. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { Agent, request as tlsRequest } from 'node:https';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { connect, openDelta } from '../support/xds-client.js';
import type { Ports, Question } from './ports-server.js';

/** One who calls: resolves with the milliseconds of a call, rejects when it fails. */
export type HonestCall = () => Promise<number>;

/** The ports and their honest clients. These call from an address of their own, as the API server, the kubelet and Prometheus do. */
export interface Stage {
  readonly ports: Ports;
  readonly clients: Readonly<Record<'xds' | 'webhook' | 'metrics' | 'admin', HonestCall>>;
  /** Bytes in use after a collection. */
  readonly memory: () => Promise<number>;
  readonly close: () => void;
}

const honestAddress = '127.0.0.9';

/** Starts all of it. */
export async function startStage(): Promise<Stage> {
  const server = fork(fileURLToPath(new URL('ports-server.js', import.meta.url)), { execArgv: ['--expose-gc'] });
  const [first] = await once(server, 'message');
  const ports: Ports = first;
  const ask = (question: Question) => void server.send(question);
  const agent = new Agent({ keepAlive: true, ca: ports.authority, servername: 'localhost' });
  const xds = await openBeat(server, ports);
  const local = (port: number, path: string) => ({ host: '127.0.0.1', port, path, localAddress: honestAddress });
  return {
    ports,
    clients: {
      xds: xds.beat,
      webhook: timed(() => answered(tlsRequest({ ...local(ports.webhook, '/inject'), agent, method: 'POST' }), 'x'.repeat(50_000))),
      metrics: timed(() => answered(plainRequest({ ...local(ports.metrics, '/healthz'), agent: false }))),
      admin: timed(() => answered(plainRequest({ ...local(ports.admin, '/status'), agent: false }))),
    },
    memory: async () => {
      const answer = once(server, 'message');
      ask('memory');
      return Number((await answer)[0]);
    },
    close: () => {
      agent.destroy();
      xds.close();
      server.disconnect();
    },
  };
}

/** A stream whose beat is a change, until it has arrived. */
async function openBeat(server: ChildProcess, { xds, authority }: Ports): Promise<{ readonly beat: HonestCall; readonly close: () => void }> {
  const client = connect(xds, grpc.credentials.createSsl(Buffer.from(authority)));
  const stream = openDelta(client, 'honest');
  stream.request('Cluster');
  await stream.take();
  let beats = 0;
  const beat = timed(async () => {
    const question: Question = { beat: String(++beats) };
    server.send(question);
    while (!(await stream.take()).sent.includes('beat'));
  });
  return { beat, close: () => client.close() };
}

function timed(call: () => Promise<unknown>): HonestCall {
  return async () => {
    const began = performance.now();
    await call();
    return performance.now() - began;
  };
}

async function answered(asked: ReturnType<typeof plainRequest>, body = ''): Promise<void> {
  asked.end(body);
  const [response] = await once(asked, 'response');
  response.resume();
  await once(response, 'end');
  assert.equal(response.statusCode, 200);
}

/** What came of it. */
export interface Outcome {
  readonly figures: string;
  /** Bytes that are in use more than before. */
  readonly grown: number;
}

/** Calls by each client, one call after another, while `attack` goes on: at least one is begun and answered. Rejects when a call fails. */
export async function during(stage: Stage, names: readonly (keyof Stage['clients'])[], attack: () => Promise<unknown>): Promise<Outcome> {
  const before = await stage.memory();
  const quiet = await Promise.all(names.map((name) => callsOf(stage.clients[name], 20)));
  const state = { isOver: false };
  const attacking = attack().finally(() => {
    state.isOver = true;
  });
  const meanwhile = await Promise.all(names.map((name) => callsUntil(stage.clients[name], () => state.isOver)));
  await attacking;
  const grown = (await stage.memory()) - before;
  const rows = names.map((name, index) => `${name} ${told(quiet[index] ?? [])} -> ${told(meanwhile[index] ?? [])}`);
  return { figures: `${rows.join('; ')}; memory ${(grown / 2 ** 20).toFixed(1)} MB`, grown };
}

async function callsOf(call: HonestCall, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await call());
  return times;
}

async function callsUntil(call: HonestCall, isOver: () => boolean): Promise<readonly number[]> {
  const times: number[] = [];
  do times.push(await call());
  while (!isOver());
  return times;
}

/** Median, worst and number. */
function told(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  return `${(sorted[sorted.length >> 1] ?? 0).toFixed(1)} ms (worst ${(sorted.at(-1) ?? 0).toFixed(0)}, ${sorted.length} calls)`;
}
