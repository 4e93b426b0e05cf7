/** The rules of the architecture, as data where they can be, and the checker that applies them to source files. */
import { posix } from 'node:path';
import { blank, importsOf } from './blank.js';

/** A source file: its path from the root of the project, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A rule: the name it is reported under, and what it finds wrong with a file (each finding one line). */
interface Rule {
  readonly name: string;
  readonly check: (file: SourceFile) => readonly string[];
}

/** Which folders of src each folder may import besides itself. A folder that is not listed may not exist. */
const edges: Readonly<Record<string, readonly string[]>> = {
  model: [],
  envoy: [],
  features: ['model', 'envoy'],
  compile: ['model', 'envoy', 'features'],
  snapshot: ['envoy'],
  serve: ['envoy', 'snapshot', 'connections'],
  kubernetes: [],
  connections: [],
  webhook: ['connections'],
  sources: ['model', 'kubernetes'],
  identity: ['model', 'envoy', 'kubernetes'],
  inject: ['model', 'envoy'],
  status: ['model', 'kubernetes'],
  observe: ['model', 'connections'],
  proxy: ['model'],
  'config.ts': [],
  'controller.ts': ['model', 'envoy', 'features', 'compile', 'snapshot', 'serve', 'sources', 'identity', 'inject', 'status', 'observe', 'proxy'],
  commands: [
    ...['model', 'envoy', 'features', 'compile', 'snapshot', 'serve', 'sources', 'identity', 'inject', 'status', 'observe', 'proxy'],
    ...['kubernetes', 'webhook', 'config.ts', 'controller.ts'],
  ],
  'main.ts': ['commands', 'config.ts'],
};

/** Packages that few files may import: which ones, and how many at most. */
const importers: readonly { readonly name: string; readonly allowed: RegExp; readonly most: number }[] = [
  { name: '@grpc/grpc-js', allowed: /^src\/serve\//, most: 1 },
  { name: 'protobufjs', allowed: /^src\/envoy\/(encode|encode-known|decode|decode-known|scalars)\.ts$/, most: 5 },
  { name: '@kubernetes/client-node', allowed: /^src\/kubernetes\//, most: 2 },
  { name: '@peculiar/x509', allowed: /^src\/identity\//, most: 2 },
  { name: 'prom-client', allowed: /^src\/observe\//, most: 1 },
];

/** The folders whose code is a function of its arguments. */
const pure = /^src\/(model|features|compile|snapshot)\//;

/** What such code may take from Node: these names of these modules, none of which does I/O or is random. */
const pureNames: Readonly<Record<string, readonly string[]>> = {
  'node:crypto': ['createHash', 'hash', 'Hash'],
  'node:net': ['isIP', 'isIPv4', 'isIPv6', 'BlockList'],
  'node:buffer': ['Buffer'],
};

const impure =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.|\bconsole\.|\bprocess\b|\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch)\(/g;

/** `any` where only a type can stand; a variable may have that name. */
const anyType = /(?::|<|\bas)\s*any\b(?!\s*[.(?:])|\bany(?:\[\]|>)/g;

const isTest = (path: string): boolean => path.endsWith('.test.ts');
const isProduct = (path: string): boolean => path.startsWith('src/') && !isTest(path);

const rules: readonly Rule[] = [
  { name: 'dependency', check: (file) => (isProduct(file.path) ? forbiddenEdges(file) : []) },
  { name: 'importer', check: (file) => (isProduct(file.path) ? forbiddenImporters(file) : []) },
  { name: 'environment', check: (file) => (isProduct(file.path) && file.path !== 'src/config.ts' ? readsOfEnvironment(file) : []) },
  { name: 'pure', check: (file) => (isProduct(file.path) && pure.test(file.path) ? impurities(file) : []) },
  { name: 'size', check: ({ text }) => (lines(text) > 400 ? [`has ${lines(text)} lines, at most 400 are allowed`] : []) },
  { name: 'file name', check: ({ path }) => (/\b(utils?|helpers?)\b/.test(posix.basename(path)) ? ['is named after nothing in particular'] : []) },
  { name: 'any', check: (file) => found(blank(file.text), anyType, 'the type any') },
  { name: 'silenced compiler', check: (file) => found(file.text, /@ts-(ignore|expect-error|nocheck)/g, 'a silenced compiler') },
];

/** Every violation, `path: rule: what`, sorted by the order of `files`. */
export function violations(files: readonly SourceFile[]): readonly string[] {
  const single = files.flatMap((file) => rules.flatMap((rule) => rule.check(file).map((finding) => `${file.path}: ${rule.name}: ${finding}`)));
  return [...single, ...crowds(files)];
}

function forbiddenEdges(file: SourceFile): readonly string[] {
  const from = folderOf(file.path);
  const allowed = edges[from];
  if (!allowed) return [`${from} is not in the table of folders`];
  return importsOf(file.text).flatMap((one) => {
    const target = one.from.startsWith('.') ? posix.join(posix.dirname(file.path), one.from) : undefined;
    if (!target) return [];
    if (!target.startsWith('src/')) return [`imports ${target}, outside src`];
    const to = folderOf(target.replace(/\.js$/, '.ts'));
    return to === from || allowed.includes(to) ? [] : [`${from} may not import ${to} (${one.from})`];
  });
}

/** `model` for src/model/x.ts, `main.ts` for src/main.ts. */
function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function forbiddenImporters(file: SourceFile): readonly string[] {
  return packagesOf(file).flatMap((name) => {
    const rule = importers.find((one) => one.name === name);
    return rule && !rule.allowed.test(file.path) ? [`may not import ${name}`] : [];
  });
}

function crowds(files: readonly SourceFile[]): readonly string[] {
  return importers.flatMap(({ name, most }) => {
    const who = files.filter((file) => isProduct(file.path) && packagesOf(file).includes(name)).map((file) => file.path);
    return most > 0 && who.length > most ? [`${who.join(', ')}: importer: ${who.length} files import ${name}, at most ${most} may`] : [];
  });
}

function packagesOf(file: SourceFile): readonly string[] {
  const names = importsOf(file.text).map(({ from }) =>
    from
      .split('/')
      .slice(0, from.startsWith('@') ? 2 : 1)
      .join('/'),
  );
  return [...new Set(names)];
}

function readsOfEnvironment(file: SourceFile): readonly string[] {
  const imported = importsOf(file.text).some(
    ({ from, names }) => from === 'node:process' && names.some((name) => name === 'env' || name === '*' || name === 'default'),
  );
  return [
    ...found(blank(file.text), /\bprocess\s*(?:\.\s*env\b|\[)/g, 'a read of the environment'),
    ...(imported ? ['imports the environment from node:process'] : []),
  ];
}

function impurities(file: SourceFile): readonly string[] {
  const taken = importsOf(file.text).flatMap(({ from, names }) =>
    from.startsWith('node:') ? names.filter((name) => !pureNames[from]?.includes(name)).map((name) => `takes ${name} from ${from}`) : [],
  );
  return [...taken, ...found(blank(file.text), impure, 'a clock, randomness or I/O')];
}

function found(text: string, pattern: RegExp, what: string): readonly string[] {
  return [...text.matchAll(pattern)].map((match) => `line ${lines(text.slice(0, match.index))} has ${what}: ${match[0]}`);
}

function lines(text: string): number {
  return text.replace(/\n$/, '').split('\n').length;
}
