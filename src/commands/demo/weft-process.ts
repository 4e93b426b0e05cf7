/** `weft serve` as a process of its own, so that it can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Where it serves what. */
export interface WeftOptions {
  readonly manifests: string;
  readonly port: number;
  readonly adminPort: number;
  /** Receives the log. */
  readonly logFile: string;
  readonly flags?: readonly string[] | undefined;
}

/** A control plane in a process. */
export interface WeftProcess {
  readonly pid: number;
  /** Ends it at once, as a crash would (SIGKILL); resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Asks it to end; resolves when it has. */
  readonly stop: () => Promise<void>;
}

const main = fileURLToPath(new URL('../../main.js', import.meta.url));

/** Starts `weft serve`; resolves when it is ready. Rejects with the end of its log when it dies before. */
export async function startWeft(options: WeftOptions): Promise<WeftProcess> {
  const log = openSync(options.logFile, 'a');
  const args = [
    main,
    'serve',
    '--manifests',
    options.manifests,
    '--listen',
    `127.0.0.1:${options.port}`,
    '--admin',
    `127.0.0.1:${options.adminPort}`,
    ...(options.flags ?? []),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', log] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const abandon = () => child.kill('SIGKILL');
  process.once('exit', abandon);
  void gone.then(() => process.off('exit', abandon));
  await becomeReady(child, options);
  const end = (signal: NodeJS.Signals) => async () => {
    child.kill(signal);
    await gone;
  };
  return { pid: child.pid ?? 0, kill: end('SIGKILL'), stop: end('SIGTERM') };
}

/** The admin port tells nobody that it is ready, so it is asked until it says so. */
async function becomeReady(child: ChildProcess, { adminPort, logFile }: WeftOptions): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`weft serve ended (${child.exitCode ?? child.signalCode}):\n${(await readFile(logFile, 'utf8')).slice(-4000)}`);
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(20);
  }
}
