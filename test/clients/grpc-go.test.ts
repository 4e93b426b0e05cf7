import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readConfig } from '../../src/config.js';
import { tellStory } from './story.js';

/** Builds the client; the toolchain's own cache makes this quick the second time. */
async function build(): Promise<string> {
  const folder = join(readConfig().cache, 'grpc-go');
  await mkdir(folder, { recursive: true });
  const binary = resolve(folder, 'client');
  await promisify(execFile)('go', ['build', '-o', binary, '.'], { cwd: 'test/clients/grpc-go', timeout: 280_000 });
  return binary;
}

/**
 * grpc-go uses new routes a moment before its balancer knows their clusters (ClientConn.applyServiceConfigAndBalancer comes
 * before updateClientConnState), and calls in between fail inside the client. No order of responses avoids it.
 */
const raceOfTheClient = /unknown cluster selected for RPC/;

test('grpc-go follows Weft without a proxy', { timeout: 300_000 }, async (t) => {
  await tellStory(t, [await build()], raceOfTheClient);
});
