/** Rewrites the golden files after a change that is meant; what changed is then for the diff to show. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatRendered, readCases, renderCase } from './cases.js';

for (const each of await readCases()) {
  const out = join(each.folder, 'out');
  await rm(out, { recursive: true, force: true });
  await mkdir(out);
  for (const [name, audience] of Object.entries(each.audiences)) await writeFile(join(out, `${name}.yaml`), formatRendered(renderCase(each, audience)));
}
