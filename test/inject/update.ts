/** Rewrites the golden files of injection after a change that is meant; what changed is then for the diff to show. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, injectCase, readInjectCases } from './cases.js';

for (const each of await readInjectCases()) {
  const { golden, bootstraps } = injectCase(each);
  await writeFile(join(each.folder, 'pod.golden.yaml'), golden);
  if (each.showsBootstrap) await writeFile(join(each.folder, 'bootstrap.golden.yaml'), format(bootstraps[0]));
}
