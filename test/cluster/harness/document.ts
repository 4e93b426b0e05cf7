/** The commands of a document, run as a reader would type them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** A fenced block that is to be run. */
export interface Block {
  /** The line of the document at which it begins. */
  readonly line: number;
  readonly script: string;
}

/** The blocks whose info string is `sh run`, in order. */
export function runnableBlocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```sh run\n(.*?)^```$/gms)].map(({ index, 1: script = '' }) => ({
    line: markdown.slice(0, index).split('\n').length,
    script,
  }));
}

/** What running a block came to. */
export interface BlockRun extends Block {
  readonly output: string;
  readonly seconds: number;
}

/** Runs the blocks in one shell, from the root of the project, each once the one before has succeeded; rejects with the output of the first that fails. */
export async function runBlocks(blocks: readonly Block[]): Promise<readonly BlockRun[]> {
  const mark = '=== line';
  const script = blocks.map(({ line, script: commands }) => `echo "${mark} ${line} $EPOCHREALTIME"\n${commands}`).join('\n');
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}\necho "${mark} 0 $EPOCHREALTIME"`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(shell, 'exit');
  const output = await text(shell.stdout);
  const [code] = await ended;
  if (code !== 0) throw new Error(`the commands of the document ended with exit code ${code}:\n${output}`);
  const parts = output.split(new RegExp(`^${mark} `, 'm')).slice(1);
  const began = parts.map((part) => Number(/^\d+ ([\d.]+)/.exec(part)?.[1]));
  return blocks.map((block, index) => ({
    ...block,
    output: (parts[index] ?? '').replace(/^.*\n/, ''),
    seconds: (began[index + 1] ?? Number.NaN) - (began[index] ?? Number.NaN),
  }));
}
