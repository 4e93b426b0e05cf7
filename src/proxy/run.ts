/** Runs an Envoy of our own: for `weft demo`, and for every test that asks what Envoy really does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { access, constants, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AdminAddress, type AdminHolder, adminAddress, callAdmin } from './admin.js';

/** How to run an Envoy. */
export interface RunOptions {
  /** The path of the binary; see `findEnvoy`. */
  readonly binary: string;
  /** A bootstrap in proto3 JSON form. */
  readonly bootstrap: AdminHolder;
  /** Further arguments. They come last, so `--concurrency 2` overrides the default of 1, and `--log-level info` that of `warning`. */
  readonly args?: readonly string[] | undefined;
  /** Receives Envoy's log. Left out, only the end of it is kept, for the message when Envoy dies. */
  readonly logFile?: string | undefined;
  /** Receives what Envoy writes on its standard output: access logs. Left out, it is lost. */
  readonly outputFile?: string | undefined;
  /** The name of a network namespace to run in; root and Linux only. */
  readonly netns?: string | undefined;
  /** The numeric user (and group) to run as; root and Linux only. Its admin socket must be in a folder that it may write to. */
  readonly uid?: number | undefined;
}

/** An Envoy that runs. It dies with this process at the latest. */
export interface RunningEnvoy {
  readonly pid: number;
  /** Asks the admin interface: the body of a 2xx answer. Throws an Error on any other status, and without an admin address. */
  readonly admin: (path: string, method?: 'GET' | 'POST') => Promise<string>;
  /** Resolves when Envoy says LIVE, that is, its first configuration is complete. Throws when Envoy dies first or `signal` aborts. */
  readonly ready: (signal?: AbortSignal) => Promise<void>;
  /** Resolves when the process has ended: its exit code, or null when a signal ended it. */
  readonly exit: Promise<number | null>;
  /** Asks it to end, insists after five seconds, and resolves when it has ended. */
  readonly stop: () => Promise<void>;
  /** Resident memory in bytes. */
  readonly rss: () => Promise<number>;
}

/** Starts Envoy. Throws an Error when the binary is not an executable file; a bad bootstrap shows as an early `exit`, which `ready` reports. */
export async function startEnvoy(options: RunOptions): Promise<RunningEnvoy> {
  const child = await launch(options);
  const tail = options.logFile === undefined ? collectTail(child) : async () => lastLines(await readFile(options.logFile ?? '', 'utf8'));
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const abandon = () => child.kill('SIGKILL');
  process.once('exit', abandon);
  exit.finally(() => process.off('exit', abandon));
  const address = adminAddress(options.bootstrap);
  return {
    pid: child.pid ?? 0,
    admin: async (path, method = 'GET') => callAdmin(known(address), path, method),
    ready: async (signal) => awaitLive(child, known(address), tail, signal),
    exit,
    stop: () => stop(child, exit),
    rss: () => residentBytes(child.pid ?? 0),
  };
}

async function launch(options: RunOptions): Promise<ChildProcess> {
  await access(options.binary, constants.X_OK);
  const binary = await open(options.binary, constants.O_RDONLY);
  const [log, output] = await Promise.all([openLog(options.logFile), openLog(options.outputFile)]);
  try {
    const [command, ...args] = await commandLine(options);
    const child = spawn(command, args, { stdio: ['ignore', output?.fd ?? 'ignore', log?.fd ?? 'pipe', ...(options.uid === undefined ? [] : [binary.fd])] });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    return child;
  } finally {
    await Promise.all([binary.close(), log?.close(), output?.close()]);
  }
}

/** Another user may not be able to open the folder that the binary is in, so it is handed over open, as file descriptor 3. */
async function commandLine(options: RunOptions): Promise<readonly [string, ...string[]]> {
  const program = options.uid === undefined ? options.binary : '/proc/self/fd/3';
  const fixed = ['--config-yaml', JSON.stringify(options.bootstrap), '--disable-hot-restart', '--log-level', 'warning'];
  const concurrency = options.args?.includes('--concurrency') ? [] : ['--concurrency', '1'];
  const [command = program, ...rest] = [...(await wrapper(options)), program];
  return [command, ...rest, ...fixed, ...concurrency, ...(options.args ?? [])];
}

async function openLog(file: string | undefined) {
  if (file === undefined) return undefined;
  await mkdir(dirname(file), { recursive: true });
  return open(file, 'w');
}

const setpriv = '/usr/bin/setpriv';

/** What Envoy is started through: `setpriv` changes the user and lets the kernel end Envoy even when this process is killed outright. */
async function wrapper({ netns, uid }: RunOptions): Promise<readonly string[]> {
  const namespace = netns === undefined ? [] : ['ip', 'netns', 'exec', netns];
  const user = uid === undefined ? [] : ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  const hasSetpriv = await access(setpriv, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!hasSetpriv && uid !== undefined) throw new Error(`running Envoy as user ${uid} needs ${setpriv} (package util-linux)`);
  return [...namespace, ...(hasSetpriv ? [setpriv, '--pdeathsig', 'KILL', ...user, '--'] : [])];
}

function known(address: AdminAddress | undefined): AdminAddress {
  if (!address) throw new Error('this Envoy has no admin address in its bootstrap');
  return address;
}

/** Envoy tells nobody that it is live, so it is asked until it says so. */
async function awaitLive(child: ChildProcess, address: AdminAddress, tail: () => Promise<string>, signal?: AbortSignal): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`Envoy ended (${child.exitCode ?? child.signalCode}):\n${await tail()}`);
    const state = await callAdmin(address, '/ready', 'GET').catch(() => '');
    if (state.trim() === 'LIVE') return;
    await delay(15, undefined, { signal });
  }
}

async function stop(child: ChildProcess, exit: Promise<number | null>): Promise<void> {
  const insist = setTimeout(() => child.kill('SIGKILL'), 5000);
  child.kill('SIGTERM');
  await exit;
  clearTimeout(insist);
}

/** Reads the log through a pipe and keeps its end. */
function collectTail(child: ChildProcess): () => Promise<string> {
  let text = '';
  const ended = new Promise<void>((resolve) => child.stderr?.once('close', resolve));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = lastLines(text + chunk);
  });
  return () => ended.then(() => text);
}

function lastLines(text: string): string {
  return text.slice(-4000);
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(kibibytes) * 1024;
}
