/** The real Envoy, for tests. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config.js';
import { encode } from '../../src/envoy/encode.js';
import type { Bootstrap } from '../../src/envoy/types.js';
import { findEnvoy } from '../../src/proxy/binary.js';

/** The path of the Envoy binary; fetched when this machine has none. */
export function envoyBinary(): Promise<string> {
  const { envoyBin, path, cache } = readConfig();
  return findEnvoy({ explicit: envoyBin, path, cache, progress: () => undefined });
}

/** Something with a hook that runs after a test, such as the context of a test. */
export interface Cleanup {
  after(hook: () => Promise<void>): void;
}

/** A folder that is removed after the test. Its path is short enough for unix sockets. */
export async function temporaryFolder(test: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-'));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What `envoy --mode validate` says is wrong with a bootstrap, or undefined when Envoy accepts it. The strict codec must accept it too. */
export async function rejection(bootstrap: Bootstrap): Promise<string | undefined> {
  encode('envoy.config.bootstrap.v3.Bootstrap', bootstrap);
  const folder = await mkdtemp(join(tmpdir(), 'weft-'));
  try {
    const file = join(folder, 'bootstrap.json');
    await writeFile(file, JSON.stringify(bootstrap));
    return await validate(await envoyBinary(), file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function validate(binary: string, file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(binary, ['--mode', 'validate', '--log-level', 'warning', '-c', file], (error, _, log) => resolve(error ? log || error.message : undefined));
  });
}

/** Connects to an Envoy's admin socket; the promise in the answer resolves when that Envoy is gone, however it went. */
export async function watchEnd(socket: string): Promise<{ readonly gone: Promise<void> }> {
  const connection = connect(socket);
  await once(connection, 'connect');
  connection.on('error', () => undefined).resume();
  return { gone: new Promise((resolve) => connection.once('close', () => resolve())) };
}
