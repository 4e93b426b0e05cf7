/** Programs in Go that are tests' clients. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { readConfig } from '../../src/config.js';

/** Builds the program in this folder of `test/clients`; the toolchain's own cache makes it quick the second time. Resolves to its path. */
export async function buildGo(name: string): Promise<string> {
  const folder = join(readConfig().cache, name);
  await mkdir(folder, { recursive: true });
  const binary = resolve(folder, 'client');
  await promisify(execFile)('go', ['build', '-o', binary, '.'], { cwd: `test/clients/${name}`, timeout: 280_000 });
  return binary;
}
