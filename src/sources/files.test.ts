import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Diagnostic } from '../model/diagnostic.js';
import { formatRef } from '../model/name.js';
import type { Change } from './change.js';
import { readText } from './files/read.js';
import { loadFolder, type WatchOptions, watchFolder } from './files.js';
import { kubernetesParsers, trafficPolicyParser } from './parsers.js';

const parsers = {
  ...kubernetesParsers,
  'weft.dev/v1alpha1/TrafficPolicy': trafficPolicyParser(() => ({ diagnostics: [] })),
};

const service = (name: string, port: number | string = 80) => `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  ports:\n  - port: ${port}\n`;
const show = ({ severity, object, field, message, remedy, origin }: Diagnostic) =>
  `${origin?.file}:${origin?.line} ${severity} ${formatRef(object)}: ${field ? `${field} ` : ''}${message}; ${remedy}`;

async function folder(context: TestContext, files: Readonly<Record<string, string>> = {}) {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'weft-files-')));
  context.after(() => rm(parent, { recursive: true, force: true }));
  const dir = join(parent, 'mesh');
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  };
  await mkdir(dir);
  for (const [path, text] of Object.entries(files)) await write(path, text);
  return { dir, write };
}

async function load(context: TestContext, files: Readonly<Record<string, string>>, options = {}) {
  const { dir } = await folder(context, files);
  const { changes, diagnostics } = await loadFolder(dir, parsers, options);
  return { names: changes.map(({ kind, key }) => `${kind} ${key}`), diagnostics: diagnostics.map(show) };
}

test('loads YAML and JSON, sub-folders, several documents and Lists', async (context) => {
  const json = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'json', namespace: 'shop' }, spec: {} });
  const list = `apiVersion: v1\nkind: List\nitems:\n- ${service('one').trimEnd().replaceAll('\n', '\n  ')}\n- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n`;
  const { names, diagnostics } = await load(context, {
    'a.yaml': `# nothing\n---\n${service('a')}---\n---\n${service('b')}...\n---\nkind: Deployment\napiVersion: apps/v1\n`,
    'deep/er/b.yml': `%YAML 1.2\n---\n${service('c')}`,
    'c.json': json,
    'list.yaml': list,
    'README.md': 'kind: Service',
    '.hidden.yaml': service('hidden'),
    '.git/x.yaml': service('hidden-too'),
  });
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(names, ['Namespace shop', ...['a', 'b', 'c', 'one'].map((name) => `Service default/${name}`), 'Service shop/json']);
});

test('a broken document harms no other, and is told by file and line', async (context) => {
  const { names, diagnostics } = await load(context, {
    'a.yaml': `${service('a')}---\nkind: Service\nmetadata: {name: "x\n---\n${service('b')}---\n${service('c', 'eighty')}`,
  });
  assert.deepEqual(names, ['Service default/a', 'Service default/b']);
  assert.deepEqual(diagnostics, [
    'a.yaml:11 error File a.yaml: Missing closing "quote; correct the YAML; until then, what was good in the file before stays in force',
    'a.yaml:26 error Service default/c: spec.ports[0].port must be a whole number from 1 to 65535; write the number of the port, such as 8080',
  ]);
});

test('an alias without an anchor is told at its line', async (context) => {
  const { diagnostics } = await load(context, { 'a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: *none\n' });
  assert.match(diagnostics.join(), /^a\.yaml:4 error File a\.yaml: Unresolved alias/);
});

test('a route of the Gateway API that is meant for the mesh is not passed over in silence', async (context) => {
  const route = (parent: string) =>
    `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: shop}\nspec: {parentRefs: [{name: a${parent}}]}\n`;
  const { diagnostics } = await load(context, { 'mesh.yaml': route(", kind: Service, group: ''"), 'gateway.yaml': route('') });
  assert.deepEqual(diagnostics, [
    'mesh.yaml:2 warning HTTPRoute shop/r: kind is not read yet, so that this route takes no effect; write its rules into the rules of a TrafficPolicy, which have the fields of an HTTPRoute',
  ]);
});

test('an error in a List is told at its own line', async (context) => {
  const item = (port: string) => `- apiVersion: v1\n  kind: Service\n  metadata: {name: a${port}}\n  spec:\n    ports:\n    - port: ${port}\n`;
  const { diagnostics } = await load(context, { 'a.yaml': `# list\napiVersion: v1\nkind: List\nitems:\n${item('1')}${item('0')}` });
  assert.deepEqual(diagnostics, [
    'a.yaml:16 error Service default/a0: spec.ports[0].port must be a whole number from 1 to 65535; write the number of the port, such as 8080',
  ]);
});

test('what is no object, and slips in apiVersion and kind, are told with what was probably meant', async (context) => {
  const { diagnostics } = await load(context, {
    'a.yaml': '- 1',
    'b.yaml': 'a: 1',
    'c.yaml': 'apiVersion: weft.dev/v1alpha1\nkind: TraficPolicy\nmetadata: {name: x, namespace: shop}',
    'd.yaml': 'apiVersion: weft.dev/v1\nkind: TrafficPolicy\nmetadata: {name: x}',
    'e.yaml': 'apiVersion: weft.dev/v1alpha1\nkind: Gateway\nmetadata: {name: x}',
    'f.yaml': 'apiVersion: v1\nkind: Sevice\nmetadata: {name: x}',
    'g.yaml': 'apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\nmetadata: {name: x}',
    'h.yaml': 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x}',
    'i.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: x}',
    'j.yaml': 'apiVersion: v1\nkind: List\nitems: {a: b}',
    'k.yaml': 'apiVersion: v1\nkind: 5',
  });
  assert.deepEqual(diagnostics, [
    'a.yaml:1 error File a.yaml: is not an object; write a map with apiVersion, kind and metadata',
    'b.yaml:1 error File b.yaml: apiVersion is missing; add the apiVersion, such as v1, or move the file out of the folder',
    'c.yaml:2 error TraficPolicy shop/x: kind is not a kind of weft.dev/v1alpha1 that is read; did you mean TrafficPolicy?',
    'd.yaml:1 error TrafficPolicy default/x: apiVersion is not an apiVersion of TrafficPolicy that is read; did you mean weft.dev/v1alpha1?',
    'e.yaml:2 error Gateway default/x: kind is not a kind of weft.dev/v1alpha1; use one of TrafficPolicy (weft.dev/v1alpha1)',
    'f.yaml:2 warning Sevice default/x: kind is not a kind of v1 that is read; did you mean Service?',
    'g.yaml:1 warning EndpointSlice default/x: apiVersion is not an apiVersion of EndpointSlice that is read; did you mean discovery.k8s.io/v1?',
    'j.yaml:3 error File j.yaml: items must be a list; write one "- apiVersion: ..." for each object',
    'k.yaml:2 error File k.yaml: kind must be text; add the kind, such as Service, or move the file out of the folder',
  ]);
});

test('of an object written twice the first by file name counts', async (context) => {
  const { dir } = await folder(context, { 'a.yaml': `${service('x', 1)}---\n${service('x', 2)}`, 'b.yaml': service('x', 3) });
  const { changes, diagnostics } = await loadFolder(dir, parsers);
  assert.deepEqual(portsOf(changes), ['default/x 1']);
  assert.deepEqual(diagnostics.map(show), [
    'a.yaml:9 error Service default/x: is written in a.yaml:1 too, and that one counts; remove one of the two, or rename it; of several Service default/x the first by file name counts',
    'b.yaml:1 error Service default/x: is written in a.yaml:1 too, and that one counts; remove one of the two, or rename it; of several Service default/x the first by file name counts',
  ]);
});

test('alias bombs, deep nesting and large files are refused', async (context) => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(',')}]`).join('\n')}\n`;
  const { names, diagnostics } = await load(
    context,
    { 'bomb.yaml': bomb, 'deep.yaml': '['.repeat(100_000), 'good.yaml': service('a'), 'large.yaml': `${service('b')}#${'x'.repeat(200_000)}` },
    { maxFileBytes: 150_000 },
  );
  assert.deepEqual(names, ['Service default/a']);
  assert.equal(diagnostics.length, 3);
  assert.match(diagnostics[0] ?? '', /^bomb.yaml:1 error File bomb.yaml: Excessive alias count/);
  assert.match(diagnostics[1] ?? '', /^deep.yaml:1 error File deep.yaml: /);
  assert.equal(diagnostics[2], 'large.yaml:1 error File large.yaml: is 200078 bytes long, and at most 150000 are read; split the file into several');
});

test('what others find wrong with an object is told by the file and line of its field, too', async (context) => {
  const item = (name: string) => `- apiVersion: v1\n  kind: Service\n  metadata: {name: ${name}}\n  spec:\n    ports:\n    - port: 80\n`;
  const { dir } = await folder(context, {
    'a.yaml': `${service('a')}---\n${service('b')}`,
    'list.yaml': `apiVersion: v1\nkind: List\nitems:\n${item('c')}${item('d')}`,
  });
  const { locate } = await loadFolder(dir, parsers);
  const about = (name: string, field: string): Diagnostic => ({
    ...{ severity: 'error', object: { kind: 'Service', namespace: 'default', name } },
    ...{ field, reason: 'Invalid', message: 'is wrong', remedy: 'mend it' },
  });
  const found = await locate([about('b', 'spec.ports[0].port'), about('a', ''), about('d', 'spec.ports'), about('b', 'spec.absent'), about('gone', 'spec')]);
  assert.deepEqual(
    found.map(({ origin }) => origin && `${origin.file}:${origin.line}`),
    ['a.yaml:15', 'a.yaml:1', 'list.yaml:14', 'a.yaml:13', undefined],
  );
});

test('a folder that is not there is told', async () => {
  const { changes, diagnostics } = await loadFolder('/no/such/folder', parsers);
  assert.deepEqual(changes, []);
  assert.deepEqual(
    diagnostics.map(({ message }) => message),
    ['is not there, or is not a folder'],
  );
});

const portsOf = (changes: readonly Change[]) =>
  changes.map((change) => `${change.key} ${change.kind === 'Service' && change.object ? change.object.ports.map(({ port }) => port).join() : 'gone'}`);

/** Follows a folder; `until` waits for the state that is expected, and fails by the runner's own time limit. */
async function follow(context: TestContext, dir: string, options: Partial<WatchOptions> = {}) {
  const ports = new Map<string, string>();
  const calls: (readonly string[])[] = [];
  const reads: string[] = [];
  let problems: readonly string[] = [];
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const look of waiting) look();
  };
  const onChange = (changes: readonly Change[]) => {
    calls.push(portsOf(changes));
    for (const line of portsOf(changes)) {
      const [key = '', port = ''] = line.split(' ');
      if (port === 'gone') ports.delete(key);
      else ports.set(key, port);
    }
    tell();
  };
  const onDiagnostics = (diagnostics: readonly Diagnostic[]) => {
    problems = diagnostics.map(({ message }) => message);
    tell();
  };
  const read: WatchOptions['read'] = (path, maxBytes) => {
    reads.push(path);
    return readText(path, maxBytes);
  };
  const watch = await watchFolder({ dir, parsers, onChange, onDiagnostics, read, ...options });
  context.after(watch.close);
  const until = (isMet: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isMet()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { ...watch, ports, calls, reads, problems: () => problems, until };
}

const limit = { timeout: 20_000 };

test('the first call comes after the whole scan, then only what changed', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': service('a'), 'sub/b.yaml': service('b') });
  const { ready, calls, ports, reads, until } = await follow(context, dir);
  await ready;
  assert.deepEqual(calls, [['default/a 80', 'default/b 80']]);
  reads.length = 0;
  await write('sub/b.yaml', service('b', 81));
  await until(() => ports.get('default/b') === '81');
  assert.deepEqual(calls.slice(1), [['default/b 81']]);
  assert.deepEqual(new Set(reads), new Set([join(dir, 'sub/b.yaml')]));
});

test('an empty folder is announced too, and files come and go', limit, async (context) => {
  const { dir, write } = await folder(context);
  const { ready, calls, ports, until } = await follow(context, dir);
  await ready;
  assert.deepEqual(calls, [[]]);
  await write('new/deep/a.yaml', service('a'));
  await until(() => ports.get('default/a') === '80');
  await rm(join(dir, 'new/deep/a.yaml'));
  await until(() => !ports.has('default/a'));
  await rm(join(dir, 'new'), { recursive: true });
  await write('new/deep/a.yaml', service('a', 81));
  await until(() => ports.get('default/a') === '81');
});

test('a file that says the same in other words changes nothing', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': service('a') });
  const { ready, calls, ports, until } = await follow(context, dir);
  await ready;
  await write('a.yaml', `# the same\n${service('a')}`);
  await write('b.yaml', service('b'));
  await until(() => ports.has('default/b'));
  assert.deepEqual(calls.flat(), ['default/a 80', 'default/b 80']);
});

test('atomic renames, one after the other', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': service('a') });
  const { ready, ports, until } = await follow(context, dir);
  await ready;
  for (const port of [81, 82, 83]) {
    await write('.a.yaml.tmp', service('a', port));
    await rename(join(dir, '.a.yaml.tmp'), join(dir, 'a.yaml'));
    await until(() => ports.get('default/a') === `${port}`);
  }
});

test('a half-written file keeps what it held, and a later good one counts', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': `${service('a')}---\n${service('b')}` });
  const { ready, calls, ports, problems, until } = await follow(context, dir);
  await ready;
  await write('a.yaml', 'apiVersion: v1\nkind: Service\nmetadata: {name: "a');
  await until(() => problems().length > 0);
  assert.deepEqual(
    [...ports],
    [
      ['default/a', '80'],
      ['default/b', '80'],
    ],
  );
  await write('a.yaml', `${service('a', 81)}---\n${service('b', 'none')}`);
  await until(() => ports.get('default/a') === '81');
  assert.deepEqual(problems(), ['must be a whole number from 1 to 65535']);
  await write('a.yaml', service('a', 81));
  await until(() => problems().length === 0);
  assert.deepEqual(calls.slice(1), [['default/a 81'], ['default/b gone']]);
});

test('a file found empty is believed only when it is still empty later', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': service('a') });
  let sawEmpty: () => void = () => undefined;
  const isSeenEmpty = new Promise<void>((resolve) => {
    sawEmpty = resolve;
  });
  const read: WatchOptions['read'] = async (path, maxBytes) => {
    const result = await readText(path, maxBytes);
    if ('text' in result && result.text === '') sawEmpty();
    return result;
  };
  const { ready, calls, ports, until } = await follow(context, dir, { read, maximumMs: 300 });
  await ready;
  await write('a.yaml', '');
  await isSeenEmpty;
  await write('a.yaml', service('a', 81));
  await until(() => ports.get('default/a') === '81');
  assert.deepEqual(calls.slice(1), [['default/a 81']]);
  await write('a.yaml', '');
  await until(() => !ports.has('default/a'));
});

test('the loser of a duplicate takes over when the winner goes', limit, async (context) => {
  const { dir } = await folder(context, { 'a.yaml': service('a'), 'b.yaml': service('a', 81) });
  const { ready, ports, problems, until } = await follow(context, dir);
  await ready;
  assert.equal(problems().length, 1);
  await rm(join(dir, 'a.yaml'));
  await until(() => ports.get('default/a') === '81' && problems().length === 0);
});

test('a folder that vanishes keeps its objects in force until it is back', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': service('a'), 'b.yaml': service('b') });
  const { ready, calls, ports, problems, until } = await follow(context, dir);
  await ready;
  await rename(dir, `${dir}.old`);
  await until(() => problems().includes('is not there, or is not a folder'));
  assert.equal(calls.length, 1);
  await mkdir(`${dir}.new`);
  await writeFile(join(`${dir}.new`, 'a.yaml'), service('a', 81));
  await rename(`${dir}.new`, dir);
  await until(() => ports.get('default/a') === '81' && !ports.has('default/b') && problems().length === 0);
  await write('a.yaml', service('a', 82));
  await until(() => ports.get('default/a') === '82');
});

test('a folder that is not there yet is waited for', limit, async (context) => {
  const { dir } = await folder(context);
  const inner = join(dir, 'x/y');
  const { ready, calls, problems, until } = await follow(context, inner);
  await until(() => problems().length === 1);
  assert.equal(calls.length, 0);
  await mkdir(inner, { recursive: true });
  await writeFile(join(inner, 'a.yaml'), service('a'));
  await ready;
  await until(() => calls.flat().includes('default/a 80') && problems().length === 0);
});

test('a mounted ConfigMap is replaced whole, files and folders', limit, async (context) => {
  const { dir, write } = await folder(context, {
    '..1/a.yaml': service('a'),
    '..1/sub/b.yaml': service('b'),
    '..2/a.yaml': service('a', 81),
    '..2/sub/b.yaml': service('b', 81),
  });
  await symlink('..1', join(dir, '..data'));
  await symlink('..data/a.yaml', join(dir, 'a.yaml'));
  await symlink('..data/sub', join(dir, 'sub'));
  const { ready, calls, ports, until } = await follow(context, dir);
  await ready;
  assert.deepEqual(calls, [['default/a 80', 'default/b 80']]);
  await symlink('..2', join(dir, '..data_tmp'));
  await rename(join(dir, '..data_tmp'), join(dir, '..data'));
  await until(() => ports.get('default/a') === '81' && ports.get('default/b') === '81');
  await write('..2/sub/b.yaml', service('b', 82));
  await until(() => ports.get('default/b') === '82');
});

test('a link that is turned to another folder is followed', limit, async (context) => {
  const { dir } = await folder(context, { 'one/a.yaml': service('a'), 'two/a.yaml': service('a', 81) });
  const current = join(dir, 'current');
  await symlink('one', current);
  const { ready, ports, until } = await follow(context, current);
  await ready;
  await symlink('two', `${current}.tmp`);
  await rename(`${current}.tmp`, current);
  await until(() => ports.get('default/a') === '81');
  await writeFile(join(dir, 'two/a.yaml'), service('a', 82));
  await until(() => ports.get('default/a') === '82');
});

test('with polling, changes are seen too', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': service('a') });
  const { ready, ports, until } = await follow(context, dir, { usePolling: true });
  await ready;
  await write('a.yaml', service('a', 8081));
  await until(() => ports.get('default/a') === '8081');
});

test('nothing is called back after close', limit, async (context) => {
  const { dir, write } = await folder(context, { 'a.yaml': service('a') });
  const one = await follow(context, dir);
  const other = await follow(context, dir);
  await Promise.all([one.ready, other.ready]);
  await one.close();
  await write('a.yaml', service('a', 81));
  await other.until(() => other.ports.get('default/a') === '81');
  assert.equal(one.calls.length, 1);
});
