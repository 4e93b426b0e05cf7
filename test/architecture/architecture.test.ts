import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { test } from 'node:test';
import { blank, importsOf } from './blank.js';
import { type SourceFile, violations } from './rules.js';

/** Every committed TypeScript file. The texts that the tests below quote would break the rules, so this folder is left out. */
async function projectFiles(): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  for (const folder of ['src', 'test', 'tools']) {
    const names = (await readdir(folder, { recursive: true })).map((name) => join(folder, name).split(sep).join('/'));
    const sources = names.filter((name) => name.endsWith('.ts') && !name.includes('/gen/') && name !== 'test/architecture/architecture.test.ts').sort();
    for (const path of sources) files.push({ path, text: await readFile(path, 'utf8') });
  }
  return files;
}

test('the project keeps its rules', async () => {
  const files = await projectFiles();
  assert.ok(
    files.some((file) => file.path === 'src/envoy/encode.ts'),
    'the sources were found',
  );
  assert.deepEqual(violations(files), []);
});

const bad: readonly { readonly rule: string; readonly files: readonly SourceFile[] }[] = [
  { rule: 'dependency', files: [{ path: 'src/model/x.ts', text: "import type { Any } from '../envoy/types.js';\n" }] },
  { rule: 'dependency', files: [{ path: 'src/features/retry/x.ts', text: "export { a } from '../../compile/contract.js';\n" }] },
  { rule: 'dependency', files: [{ path: 'src/snapshot/x.ts', text: "import type {\n  Mesh,\n} from '../model/mesh.js';\n" }] },
  { rule: 'dependency', files: [{ path: 'src/status/x.ts', text: "const { a } = await import('../observe/metrics.js');\n" }] },
  { rule: 'dependency', files: [{ path: 'src/compile/x.ts', text: "import '../main.js';\n" }] },
  { rule: 'dependency', files: [{ path: 'src/compile/x.ts', text: "import { a } from '../../test/support/port.js';\n" }] },
  { rule: 'dependency', files: [{ path: 'src/misc/x.ts', text: 'export const a = 1;\n' }] },
  { rule: 'importer', files: [{ path: 'src/sources/x.ts', text: "import * as grpc from '@grpc/grpc-js';\n" }] },
  { rule: 'importer', files: ['a', 'b'].map((name) => ({ path: `src/serve/${name}.ts`, text: "import { Server } from '@grpc/grpc-js';\n" })) },
  { rule: 'importer', files: [{ path: 'src/snapshot/x.ts', text: "import protobuf from 'protobufjs/minimal.js';\n" }] },
  { rule: 'importer', files: [{ path: 'src/sources/x.ts', text: "import { Watch } from '@kubernetes/client-node';\n" }] },
  { rule: 'environment', files: [{ path: 'src/proxy/x.ts', text: 'const path = process.env.PATH;\n' }] },
  { rule: 'environment', files: [{ path: 'src/proxy/x.ts', text: "import { env } from 'node:process';\n" }] },
  { rule: 'pure', files: [{ path: 'src/compile/x.ts', text: "import { readFile } from 'node:fs/promises';\n" }] },
  { rule: 'pure', files: [{ path: 'src/snapshot/x.ts', text: "import { createHash, randomUUID } from 'node:crypto';\n" }] },
  { rule: 'pure', files: [{ path: 'src/features/a/x.ts', text: 'const now = Date.now();\n' }] },
  { rule: 'pure', files: [{ path: 'src/model/x.ts', text: 'const dice = Math.random();\n' }] },
  { rule: 'pure', files: [{ path: 'src/compile/x.ts', text: "console.log('compiled');\n" }] },
  { rule: 'pure', files: [{ path: 'src/snapshot/x.ts', text: 'process.exitCode = 1;\n' }] },
  { rule: 'size', files: [{ path: 'src/serve/x.ts', text: 'export {};\n'.repeat(401) }] },
  { rule: 'file name', files: [{ path: 'src/serve/utils.ts', text: '' }] },
  { rule: 'any', files: [{ path: 'src/serve/x.ts', text: 'export const a: any = 1;\n' }] },
  { rule: 'any', files: [{ path: 'test/x.ts', text: 'export const a = [] as any[];\n' }] },
  { rule: 'silenced compiler', files: [{ path: 'src/serve/x.ts', text: '// @ts-ignore\nexport const a = 1;\n' }] },
];

test('each rule finds what breaks it, and only that rule does', () => {
  for (const { rule, files } of bad) {
    const findings = violations(files);
    assert.equal(findings.length, 1, `${JSON.stringify(files)} gave ${JSON.stringify(findings)}`);
    assert.ok(findings[0]?.includes(`: ${rule}: `), findings[0]);
  }
});

const good: readonly SourceFile[] = [
  { path: 'src/compile/x.ts', text: "// any clock: Date.now()\nimport type { Mesh } from '../model/mesh.js';\nexport const text = 'process.env and any';\n" },
  {
    path: 'src/snapshot/x.ts',
    text: "import { createHash } from 'node:crypto';\nexport const version = (b: Buffer) => createHash('sha256').update(b).digest('hex');\n",
  },
  { path: 'src/config.ts', text: 'export const path = process.env.PATH;\n' },
  { path: 'src/serve/grpc.ts', text: "import { Server } from '@grpc/grpc-js';\nexport const first = Promise.any([]);\n" },
  { path: 'src/model/x.test.ts', text: "import { readFile } from 'node:fs/promises';\nconsole.log(Date.now());\n" },
];

test('what is allowed is left alone', () => {
  assert.deepEqual(violations(good), []);
});

test('comments, strings and regular expressions are blanked, code and line breaks are not', () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a = 'x\\'y'; b", 'a =       ; b'],
    ['a // any\nb', 'a       \nb'],
    ['a /* any\n*/ b', 'a       \n   b'],
    ['a = /[/]any/.test(b)', 'a =         .test(b)'],
    ['a = b / c / d', 'a = b / c / d'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is a template
    ['`a ${b} c`;', '          ;'],
  ];
  for (const [source, expected] of cases) assert.equal(blank(source), expected, source);
});

test('every form of import is seen, with its names', () => {
  const source =
    "import a from 'a';\nimport { b as x, type c } from 'b';\nimport * as d from 'd';\nimport 'e';\nexport type { f } from 'f';\nawait import('g');\n";
  assert.deepEqual(importsOf(source), [
    { from: 'a', names: ['default'] },
    { from: 'b', names: ['b', 'c'] },
    { from: 'd', names: ['*'] },
    { from: 'e', names: ['*'] },
    { from: 'f', names: ['f'] },
    { from: 'g', names: ['*'] },
  ]);
});
