/** `npm run sbom`: the bill of materials of the packages that the image holds, from the lock file alone. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { progress } from './setup.mjs';

const file = 'dist/sbom.cdx.json';

/** Writes it in the format CycloneDX. */
export async function writeSbom() {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const { stdout } = await promisify(execFile)(npm, args, { maxBuffer: 64 * 2 ** 20 });
  await mkdir('dist', { recursive: true });
  await writeFile(file, `${JSON.stringify(without(JSON.parse(stdout), await tools()), null, 2)}\n`);
  progress(`Wrote ${file}`);
}

/** The packages of development alone, as `name@version`. npm's own --omit=dev also omits a package of the image that a tool names as its peer. */
async function tools() {
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8'));
  const entries = Object.entries(packages).map(([path, { version, dev }]) => ({ id: `${path.split('node_modules/').at(-1)}@${version}`, dev }));
  const needed = new Set(entries.filter(({ dev }) => !dev).map(({ id }) => id));
  return new Set(entries.map(({ id }) => id).filter((id) => !needed.has(id)));
}

function without(bill, left) {
  return {
    ...bill,
    components: bill.components.filter((each) => !left.has(each['bom-ref'])),
    dependencies: bill.dependencies.filter(({ ref }) => !left.has(ref)).map((each) => ({ ...each, dependsOn: each.dependsOn.filter((ref) => !left.has(ref)) })),
  };
}
