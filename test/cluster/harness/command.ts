/** Commands of this machine. */
import { execFile } from 'node:child_process';

/** How a command is run. */
export interface CommandOptions {
  /** What it reads; nothing unless given. */
  readonly input?: string | undefined;
  /** It is ended after so long; two minutes unless given. */
  readonly timeoutMs?: number | undefined;
}

/** What a command writes to its output. Rejects with what it wrote to both when it fails. */
export function run(command: string, args: readonly string[], { input = '', timeoutMs = 120_000 }: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { timeout: timeoutMs, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const why = error.killed ? `not done after ${timeoutMs} ms` : `exit code ${error.code}`;
      reject(new Error(`${[command, ...args].join(' ').slice(0, 500)}: ${why}\n${stderr}${stdout.slice(-4000)}`));
    });
    child.stdin?.on('error', () => undefined).end(input);
  });
}
