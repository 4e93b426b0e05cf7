/** Brings a fresh clone to the point where dist/ holds the built project: packages, generated sources, compiled sources. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Holds the digest of what the generated sources were made from. */
const stamp = 'src/envoy/gen/inputs.sha256';

/** One line about what is happening, on stderr. */
export function progress(line) {
  process.stderr.write(`> ${line}\n`);
}

/** Runs a command in the foreground; resolves to its exit code. */
export function run(command, args, environment = {}, output = 'inherit') {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', output, output], env: { ...process.env, ...environment } });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

/** Runs a command that must succeed; otherwise ends the process with its exit code. */
async function must(what, command, ...args) {
  const code = await run(command, args);
  if (code === 0) return;
  progress(`${what} failed (exit code ${code})`);
  process.exit(code);
}

/** Runs a script of an installed package with this Node. */
function tool(what, script, ...args) {
  return must(what, process.execPath, join('node_modules', script), ...args);
}

/** Installs the packages of the lock file unless they are there already. */
export async function install() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 11)) {
    progress(`Node ${process.versions.node} is too old; Weft needs Node 20.11 or later`);
    process.exit(1);
  }
  const [wanted, installed] = await Promise.all(['package-lock.json', 'node_modules/.package-lock.json'].map(modified));
  if (installed >= wanted) return;
  progress('Installing packages (npm ci; about a minute, once)');
  await must('npm ci', process.platform === 'win32' ? 'npm.cmd' : 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund');
}

async function modified(file) {
  return existsSync(file) ? (await stat(file)).mtimeMs : 0;
}

/** Generates Envoy's types and the list of features, always or when what they are made from has changed. */
export async function generate(always) {
  const previous = existsSync(stamp) ? await readFile(stamp, 'utf8') : '';
  if (!always && previous === (await digestOfInputs())) return;
  progress('Generating src/envoy/gen and src/features/gen');
  await tool('Compiling the generator', 'typescript/bin/tsc', '-p', 'tsconfig.tools.json');
  await must('The generator', process.execPath, '--enable-source-maps', 'dist/tools/generate.js');
  await mkdir('src/envoy/gen', { recursive: true });
  await writeFile(stamp, await digestOfInputs());
}

/** Everything that decides what the generator writes (its own code, the roots, Envoy's release, the features), and whether the result is there. */
async function digestOfInputs() {
  const tools = (await readdir('tools')).filter((name) => name.endsWith('.ts')).sort();
  const files = [...tools.map((name) => join('tools', name)), 'proto/roots.txt', 'src/proxy/binary.ts', 'package-lock.json'];
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(await readFile(file));
  const features = (await readdir('src/features', { withFileTypes: true })).filter((entry) => entry.isDirectory() && entry.name !== 'gen');
  for (const { name } of features.toSorted((a, b) => (a.name < b.name ? -1 : 1))) hash.update(basename(name));
  for (const output of ['src/envoy/gen/types.ts', 'src/envoy/gen/schema.ts']) hash.update(String(existsSync(output)));
  return hash.digest('hex');
}

/** Packages, generated sources, compiled sources. */
export async function build() {
  await install();
  await generate(false);
  progress('Compiling');
  await tool('Compiling', 'typescript/bin/tsc', '-p', 'tsconfig.json');
}
