/** The files that are printed from the schemas, and are committed so that they can be read and installed without a build. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { progress } from './setup.mjs';

/** Each with what prints it; src/commands/crd.test.ts and tools/chart-reference.test.ts see to it that they are fresh. */
const files = {
  'charts/weft/files/crds.yaml': ['crd'],
  'docs/reference.md': ['crd', '--output', 'markdown'],
};

/** Writes them; `dist` must hold the built project. */
export async function writePrinted() {
  for (const [file, args] of Object.entries(files)) {
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/src/main.js', ...args]);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, stdout);
    progress(`Wrote ${file}`);
  }
  const { chartReference } = await import('../dist/tools/chart-reference.js');
  await writeFile('docs/configuration.md', chartReference(await readFile('charts/weft/values.yaml', 'utf8')));
  progress('Wrote docs/configuration.md');
}
