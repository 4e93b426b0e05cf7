/** The chart, as helm sees it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { isPlain } from '../../src/kubernetes/plain.js';

const run = promisify(execFile);

/** The folder of the chart. */
export const chart = 'charts/weft';

/** What a program prints; rejects with what it says on stderr. */
export async function output(program: string, args: readonly string[], input?: string): Promise<string> {
  const running = run(program, [...args], { maxBuffer: 64 * 2 ** 20, timeout: 60_000 });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** The arguments of helm for values, `name=value`. */
export function sets(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => ['--set', value]);
}

/** The manifest of a release called weft in weft-system, as text. */
export function renderText(values: readonly string[] = []): Promise<string> {
  return output('helm', ['template', 'weft', chart, '--namespace', 'weft-system', '--no-hooks', ...sets(values)]);
}

/** The objects of that manifest. */
export async function render(values: readonly string[] = []): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return parseAllDocuments(await renderText(values)).flatMap((document) => {
    const object: unknown = document.toJS();
    return isPlain(object) ? [object] : [];
  });
}
