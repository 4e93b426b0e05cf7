/** Runs the tests in groups and says at the end what ran, what failed, what was left out and why. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { run } from 'node:test';
import { buildClusterImages } from './cluster-images.mjs';
import { missingForApiserver, missingForCluster, missingForGo, missingForNetns, missingForPorts } from './requirements.mjs';

/** A file that has not ended after this long is stopped and counts as failed. */
const timeout = 300_000;

/** A total that the runner reports at the end of a file or of all. */
const counter = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/**
 * The last one runs first; a file belongs to the first group that matches its path. `missing` tells what a machine lacks for it;
 * `prepare` resolves to an exit code; `last` is the end of the name of the file that runs after the others.
 */
const groups = [
  {
    name: 'cluster',
    matches: (file) => file.startsWith('test/cluster/'),
    concurrency: 1,
    timeout: 900_000,
    missing: missingForCluster,
    prepare: buildClusterImages,
    last: 'f-uninstall.test.ts',
  },
  { name: 'go', matches: (file) => /^test\/clients\/(grpc-go|go-spiffe)/.test(file), concurrency: 1, missing: missingForGo },
  { name: 'ports', matches: (file) => file.startsWith('test/ports/'), concurrency: 1, missing: missingForPorts },
  { name: 'netns', matches: (file) => file.startsWith('test/netns/'), concurrency: 1, missing: missingForNetns },
  { name: 'apiserver', matches: (file) => file.startsWith('test/apiserver/'), concurrency: 2, missing: missingForApiserver },
  { name: 'envoy', matches: (file) => file.startsWith('test/envoy/'), concurrency: 2 },
  { name: 'clients', matches: (file) => file.startsWith('test/clients/'), concurrency: 2 },
  { name: 'unit', matches: () => true, concurrency: Math.max(2, availableParallelism()) },
];

/**
 * Runs the test files whose path contains one of `filters` (all without any) and resolves to the exit code: 1 when a test
 * failed, none was found, or, with WEFT_TEST_ALL=1, anything was left out. WEFT_TEST_LATER names groups, with spaces between them,
 * that another call runs.
 */
export async function runTests(filters) {
  const files = (await testFiles()).filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --enable-source-maps`.trim();
  const results = [];
  const later = (process.env.WEFT_TEST_LATER ?? '').split(' ');
  for (const group of groups.toReversed().filter(({ name }) => !later.includes(name))) {
    const mine = files.filter((file) => groups.find((candidate) => candidate.matches(file)) === group);
    if (mine.length > 0) results.push(await runGroup(group, mine));
  }
  return report(results);
}

/** Every `x.test.ts`, by its path from the root of the project; from the sources, so that a deleted test is not run from dist. */
async function testFiles() {
  const found = [];
  for (const folder of ['src', 'test', 'tools'].filter((name) => existsSync(name))) {
    const entries = await readdir(folder, { recursive: true });
    found.push(...entries.filter((name) => name.endsWith('.test.ts')).map((name) => join(folder, name).split(sep).join('/')));
  }
  return found.sort();
}

async function runGroup(group, files) {
  const missing = await group.missing?.();
  const result = { name: group.name, files: files.length, passed: 0, failed: [], skipped: [], notes: [], figures: [], missing };
  if (missing) return result;
  if (group.prepare && (await group.prepare()) !== 0) {
    result.failed.push({ name: `${group.name}: what its tests need could not be prepared`, error: 'see above' });
    return result;
  }
  const begin = performance.now();
  const output = new Map();
  const stream = run({ files: inOrder(group, files), concurrency: group.concurrency, timeout: group.timeout ?? timeout });
  for await (const event of stream) note(event, result, output);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  explain(result, output);
  process.stdout.write(`${result.failed.length === 0 ? 'ok    ' : 'FAILED'} ${group.name}: ${result.passed} tests in ${files.length} files, ${seconds} s\n`);
  for (const figure of result.figures) process.stdout.write(`         ${figure}\n`);
  return result;
}

/** The compiled files, in the order in which they run. */
function inOrder({ last }, files) {
  const isLast = (file) => last !== undefined && file.endsWith(last);
  const ordered = [...files.filter((file) => !isLast(file)), ...files.filter(isLast)];
  return ordered.map((file) => join('dist', file.replace(/\.ts$/, '.js')));
}

/** Counts one event of the test stream (the runner reports a file as a test of its own only when it has none, or crashed), and keeps what a file writes in case one of its tests fails. */
function note({ type, data }, result, output) {
  if (type === 'test:stdout' || type === 'test:stderr') output.set(place(data.file), (output.get(place(data.file)) ?? '') + data.message);
  if (type === 'test:diagnostic' && !counter.test(data.message)) result.notes.push(data.message);
  result.figures.push(...figuresIn(type, data));
  if (type !== 'test:pass' && type !== 'test:fail') return;
  if (data.details?.type === 'suite' && type === 'test:pass') return;
  const name = `${place(data.file)}: ${data.name}`;
  if (data.skip !== undefined || data.todo !== undefined) result.skipped.push(name);
  else if (type === 'test:pass' && place(data.name) === place(data.file)) result.failed.push({ name, file: place(data.file), error: 'the file has no test' });
  else if (type === 'test:pass') result.passed++;
  else if (data.details.error?.failureType !== 'subtestsFailed') result.failed.push({ name, file: place(data.file), error: data.details.error });
}

/** The failures of a group, what their files wrote, and what the runner noted, such as an error outside any test. */
function explain({ failed, notes }, output) {
  const say = (title, text) => process.stdout.write(`\n${title}\n${indent(text)}\n`);
  for (const { name, error } of failed) say(`FAILED ${name}`, error?.cause?.stack ?? String(error?.cause ?? error));
  for (const file of new Set(failed.map((failure) => failure.file))) if (output.has(file)) say(`Output of ${file}:`, output.get(file));
  if (failed.length > 0 && notes.length > 0) say('Notes of the runner:', notes.join('\n'));
}

/** What a test has measured: its diagnostics, and the lines it writes that begin with `# `. */
function figuresIn(type, { file, message = '' }) {
  if (type === 'test:diagnostic') return file && !counter.test(message) ? [message] : [];
  if (type !== 'test:stdout') return [];
  return message.split('\n').flatMap((line) => (line.startsWith('# ') ? [line.slice(2)] : []));
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, '    ');
}

/** The source of a test file that an event names in one of several ways: relative or not, compiled or not. */
function place(file) {
  const path = relative(process.cwd(), resolve(file ?? 'unknown file'))
    .split(sep)
    .join('/');
  return path.replace(/^dist\//, '').replace(/\.js$/, '.ts');
}

function report(results) {
  const failed = results.flatMap((result) => result.failed);
  const left = results.flatMap((result) => [
    ...(result.missing ? [`${result.name} (${result.files} files): ${result.missing}`] : []),
    ...result.skipped.map((name) => `${name}: skipped by the test itself`),
  ]);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  process.stdout.write(left.length === 0 ? '\nNothing was left out.\n' : `\nLeft out:\n${left.map((line) => `  ${line}`).join('\n')}\n`);
  if (left.length > 0 && process.env.WEFT_TEST_ALL === '1') process.stdout.write('WEFT_TEST_ALL=1 is set, so leaving something out counts as failure.\n');
  if (results.length === 0) process.stdout.write('No test file matches.\n');
  for (const { name } of failed) process.stdout.write(`FAILED ${name}\n`);
  process.stdout.write(`${passed} passed, ${failed.length} failed\n`);
  return failed.length > 0 || results.length === 0 || (left.length > 0 && process.env.WEFT_TEST_ALL === '1') ? 1 : 0;
}
