/** h2spec against the xDS port: nothing fails there that does not fail with Node's own HTTP/2 server, which it is built on, when that gives the same answer. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { issueServing, makeAuthority } from '../../src/identity/x509.js';
import { clusterServeLimits } from '../../src/serve/limits.js';
import { startStage } from './honest.js';

test('h2spec finds no more in the xDS port than in bare Node', async (t) => {
  const stage = await startStage();
  t.after(stage.close);
  const program = await built();
  const port = await startBare(t);
  const compare = async () => {
    const [bare, ours] = await Promise.all([failures(t, program, port), failures(t, program, stage.ports.xds)]);
    process.stdout.write(`# h2spec: ${ours.all} cases, ${ours.failed.length} failed; bare Node ${bare.failed.length}\n`);
    assert.ok(ours.all > 100);
    return ours.failed.filter((name) => !bare.failed.includes(name));
  };
  // Some cases are races between the answer and the frame that makes the request a wrong one: what is worse is so each time.
  let worse = await compare();
  for (let again = 0; worse.length > 0 && again < 3; again++) {
    const next = await compare();
    worse = worse.filter((name) => next.includes(name));
  }
  assert.deepEqual(worse, []);
});

/** Answers as a gRPC server answers what is no gRPC: with a status and without a body. */
async function startBare(t: TestContext): Promise<number> {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
  const { certificate, key } = await issueServing(await makeAuthority(validity), ['localhost'], validity);
  const server = createSecureServer({ cert: certificate, key, settings: { maxConcurrentStreams: clusterServeLimits.streamsPerConnection } });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 415 }, { endStream: true });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => void server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  return address.port;
}

const run = promisify(execFile);

/** Builds it from the Go module beside this file's source, once. */
async function built(): Promise<string> {
  const program = resolve(process.env['WEFT_CACHE'] ?? '.cache', 'h2spec');
  await run('go', ['build', '-C', 'test/ports/h2spec', '-o', program, 'github.com/summerwind/h2spec/cmd/h2spec']);
  return program;
}

/** The names of the cases that fail. */
async function failures(t: TestContext, program: string, port: number): Promise<{ readonly all: number; readonly failed: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-h2spec-'));
  t.after(() => rm(folder, { recursive: true }));
  const report = join(folder, 'report.xml');
  await run(program, ['-t', '-k', '-h', '127.0.0.1', '-p', String(port), '-o', '3', '-j', report], { maxBuffer: 2 ** 24 }).catch(() => undefined);
  const cases = (await readFile(report, 'utf8')).split('<testcase ').slice(1);
  const nameOf = (text: string) => /package="([^"]*)" classname="([^"]*)"/.exec(text)?.slice(1).join(': ') ?? text;
  return { all: cases.length, failed: cases.filter((text) => /<(error|failure)>/.test(text)).map(nameOf) };
}
