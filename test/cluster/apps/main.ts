#!/usr/bin/env node
/** The applications of the cluster tests, in one image: `app ROLE [JSON]`. They know nothing of a mesh. */
import { callJson } from './call.js';
import { flood } from './flood.js';
import { serveGrpc } from './grpc-app.js';
import { holdConnection } from './hold.js';
import { serveHttp } from './http-app.js';
import { readLoad, startLoad } from './load.js';
import { tryStreams } from './stranger.js';
import { serveTcp } from './tcp-app.js';
import { serveUdp } from './udp-app.js';

const roles: Readonly<Record<string, (argument: string) => Promise<unknown>>> = {
  /** Servers; the argument is the port. */
  http: (port) => serveHttp(Number(port)),
  grpc: (port) => serveGrpc(Number(port)),
  tcp: (port) => serveTcp(Number(port)),
  udp: (port) => serveUdp(Number(port)),
  /** Keeps one connection to `host:port` busy. */
  hold: holdConnection,
  /** Sends requests at a steady rate, until the end. */
  load: async (json) => startLoad(readLoad(json)),
  /** One call; its outcome is printed. */
  call: callJson,
  /** Calls of Weft's own port; the outcomes are printed. */
  stranger: tryStreams,
  /** Floods of a port for some seconds; how many of each kind were played is printed. */
  flood,
  /** Does nothing, for others to run commands in. */
  idle: () => new Promise((resolve) => process.once('SIGTERM', () => resolve(undefined))),
};

const [role = '', argument = ''] = process.argv.slice(2);
const play = Object.hasOwn(roles, role) ? roles[role] : undefined;
if (!play) throw new Error(`${JSON.stringify(role)} is no role; there are ${Object.keys(roles).join(', ')}`);
// Some roles have nothing that keeps the process alive.
const alive = setInterval(() => undefined, 60_000);
const outcome = await play(argument);
if (outcome !== undefined) process.stdout.write(`${JSON.stringify(outcome)}\n`);
clearInterval(alive);
