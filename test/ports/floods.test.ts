/** Floods, slow readers and tricks against each port: every honest call is answered meanwhile, and memory comes back. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { play, tricks } from '../cluster/apps/frames.js';
import { during, type Stage, startStage } from './honest.js';

let stage: Stage;

before(async () => {
  stage = await startStage();
});

after(() => stage.close());

const run = promisify(execFile);

/** Bytes that a port may occupy after an attack more than before. */
const bound = 24 * 2 ** 20;

type Client = keyof Stage['clients'];

function attacked(name: string, clients: readonly Client[], attack: () => Promise<unknown>): void {
  test(name, async () => {
    const { figures, grown } = await during(stage, clients, attack);
    process.stdout.write(`# ${name}: ${figures}\n`);
    assert.ok(grown < bound, `${name} has left something behind: ${figures}`);
  });
}

attacked('30,000 requests that are no gRPC, by h2load', ['xds'], () =>
  run('h2load', ['-n', '30000', '-c', '20', '-m', '50', `https://127.0.0.1:${stage.ports.xds}/`]),
);

for (const [name, trick] of Object.entries(tricks)) {
  attacked(name, ['xds'], () => Promise.all(Array.from({ length: 4 }, () => play(trick, { host: '127.0.0.1', port: stage.ports.xds }, 20_000))));
}

attacked('bodies of 8 MB to the webhook, by h2load', ['webhook'], async () => {
  const file = join(tmpdir(), `weft-body-${process.pid}`);
  await writeFile(file, randomBytes(8 * 2 ** 20));
  await run('h2load', ['--h1', '-n', '60', '-c', '20', '-d', file, `https://127.0.0.1:${stage.ports.webhook}/inject`]).finally(() => rm(file));
});

const slow = {
  'headers that trickle in': ['-H', '-i', '1', '-x', '24'],
  'a body that trickles in': ['-B', '-i', '1', '-s', '8192'],
  'an answer that is hardly read': ['-X', '-w', '1', '-y', '2', '-n', '1', '-z', '1', '-k', '3'],
};

for (const [name, args] of Object.entries(slow)) {
  attacked(`${name}, by slowhttptest, to every port of HTTP`, ['webhook', 'metrics', 'admin'], () => {
    const { webhook, metrics, admin } = stage.ports;
    const urls = [`https://127.0.0.1:${webhook}/inject`, `http://127.0.0.1:${metrics}/metrics`, `http://127.0.0.1:${admin}/status`];
    return Promise.all(urls.map((url) => run('slowhttptest', [...args, '-c', '300', '-r', '200', '-l', '6', '-p', '3', '-u', url]).catch(isOver)));
  });
}

/** slowhttptest says by its exit code how the test has ended; that it has not begun is an error. */
function isOver(error: unknown): void {
  assert.ok(error instanceof Error && 'stdout' in error && String(error.stdout).length > 0, String(error));
}
