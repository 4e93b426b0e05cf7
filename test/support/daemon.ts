/** Programs that run beside a test and are gone when it is, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

/** A program that runs. */
export interface Daemon {
  /** Sends a signal: SIGSTOP and SIGCONT to hold it and let it go on. */
  readonly signal: (name: NodeJS.Signals) => void;
  /** Ends it at once; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Throws an Error with the end of what it wrote when it has ended by itself. */
  readonly assertRunning: () => void;
}

/** How much of a program's output is kept for the message. */
const keptCharacters = 4000;

const setpriv = '/usr/bin/setpriv';

/** Starts a program. Where setpriv is installed, the kernel ends it with this process even if this one is killed outright. */
export function startDaemon(command: string, args: readonly string[]): Daemon {
  const [file = '', ...rest] = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', command, ...args] : [command, ...args];
  const child: ChildProcess = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit').catch(() => undefined);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (output = (output + text).slice(-keptCharacters)));
  child.once('error', (error) => (output += error.message));
  return {
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    assertRunning: () => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) throw new Error(`${command} has ended:\n${output}`);
    },
  };
}
