/** `npm run generate`: writes src/envoy/gen (Envoy's vocabulary) and src/features/gen (the list of feature folders). */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { readConfig } from '../src/config.js';
import { fetchEnvoy } from '../src/proxy/binary.js';
import { readDescriptors } from './descriptors.js';
import { writeFeaturesIndex } from './features-index.js';
import { makeTable } from './schema.js';
import { printTypes } from './types.js';

const roots = (await readFile('proto/roots.txt', 'utf8')).split('\n').filter((line) => line && !line.startsWith('#'));
const binary = await fetchEnvoy(readConfig().cache, (line) => process.stderr.write(`${line}\n`));
const table = makeTable(await readDescriptors(binary), roots);
await mkdir('src/envoy/gen', { recursive: true });
await writeFile('src/envoy/gen/types.ts', printTypes(table));
await writeFile('src/envoy/gen/schema.ts', `export const schemaJson = ${JSON.stringify(JSON.stringify(table))};\n`);
process.stderr.write(`Generated the types of ${Object.keys(table.messages).length} Envoy messages\n`);
const stanzas = await writeFeaturesIndex('src/features');
process.stderr.write(`Found ${stanzas.length} stanzas: ${stanzas.join(', ')}\n`);
