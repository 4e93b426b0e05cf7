/** What the security documents promise and a look at files can prove. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('each line of the checklist says how, and points to files that there are', async () => {
  const text = await readFile('docs/security-checklist.md', 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && !/^\| (what must hold|---)/.test(line));
  assert.ok(rows.length > 30);
  for (const row of rows) {
    const [what = '', how = '', where = ''] = row.slice(2, -2).split(' | ');
    assert.match(how, /^(test|chart|decision|code)(, (test|chart|code))?$/, what);
    const paths = [...where.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
    assert.ok(paths.length > 0, what);
    for (const path of paths) assert.ok(existsSync(path), `${what}: ${path}`);
    if (how.startsWith('test'))
      assert.ok(
        paths.some((path) => path.endsWith('.test.ts')),
        `${what} names no test`,
      );
  }
});

/** Every file in which somebody could install packages. */
async function installers(): Promise<readonly string[]> {
  const folders = ['.ci', 'scripts', 'docs', 'images', 'test/cluster', 'test/clients'].filter((folder) => existsSync(folder));
  const found = await Promise.all(
    folders.map(async (folder) => (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())),
  );
  return ['Dockerfile', 'README.md', 'CONTRIBUTING.md', ...found.flat().map(({ parentPath, name }) => join(parentPath, name))];
}

test('wherever packages are installed, it is from the lock file and without their scripts', async () => {
  const calls = await Promise.all(
    (await installers()).map(async (file) =>
      (await readFile(file, 'utf8'))
        .split('\n')
        .filter(installs)
        .map((line) => `${file}: ${line}`),
    ),
  );
  assert.ok(calls.flat().length >= 3, 'the Dockerfile and the set-up install packages');
  for (const call of calls.flat()) assert.match(call, /--ignore-scripts/, call);
});

/** In a shell, or as the arguments of a program; a message about it is none. */
const installs = (line: string): boolean => /\bnpm (ci|install|i|add) -|'npm', '(ci|install|i|add)'/.test(line);

test('packages are pinned, few, and nothing of ours runs when they are installed', async () => {
  const { dependencies, devDependencies, scripts } = JSON.parse(await readFile('package.json', 'utf8'));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) assert.match(String(version), /^\d+\.\d+\.\d+$/, name);
  assert.ok(Object.keys(dependencies).length <= 15);
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) assert.ok(!Object.hasOwn(scripts, hook), hook);
});

test('the image runs without __proto__ and without code from strings, and the user is nobody in particular', async () => {
  const dockerfile = await readFile('Dockerfile', 'utf8');
  for (const flag of ['--disable-proto=delete', '--disallow-code-generation-from-strings', '--max-old-space-size-percentage'])
    assert.ok(dockerfile.includes(flag), flag);
  assert.match(dockerfile, /^USER 65532:65532$/m);
});

test('the bill of materials has every direct dependency of the image, and none of the tools', async () => {
  const { dependencies, devDependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  await promisify(execFile)(process.execPath, ['scripts/run.mjs', 'sbom']);
  const { bomFormat, components } = JSON.parse(await readFile('dist/sbom.cdx.json', 'utf8'));
  assert.equal(bomFormat, 'CycloneDX');
  const names = new Set(components.map(({ name }: { readonly name: string }) => name));
  for (const name of Object.keys(dependencies)) assert.ok(names.has(name), name);
  for (const name of ['typescript', '@biomejs/biome', 'knip']) assert.ok(Object.hasOwn(devDependencies, name) && !names.has(name), name);
});
