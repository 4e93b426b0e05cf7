/** Figures as tables for people. */
import { cpus, loadavg } from 'node:os';
import type { ChangeFigures } from './changes.js';
import type { RunFigures, Step } from './run.js';

/** Where and with what was measured. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  /** The load average of the last minute, when the run began. */
  readonly load: number;
}

/** This machine, now. */
export function thisMachine(): Machine {
  const all = cpus();
  return { processor: all[0]?.model.trim() ?? 'unknown', cores: all.length, node: process.version, load: loadavg()[0] ?? 0 };
}

/** One line about the machine. */
export function machineLine({ processor, cores, node, load }: Machine): string {
  return `${cores} cores (${processor}), Node ${node}, load average ${load.toFixed(2)} at the start\n`;
}

/** The start of each run, and its memory. */
export function startTables(runs: readonly RunFigures[]): string {
  const steps = runs.flatMap(({ label, connect, calls }) => [stepRow(`${label}: listeners warm`, connect), stepRow(`${label}: all calls at once`, calls)]);
  const memory = runs.map(({ label, memory, idle, startMs }) => [
    ...[label, ms(startMs), mb(memory.before.rss), mb(memory.after.rss), mb(memory.peakRss), mb(memory.end.heap)],
    ...[kb(memory.perProxyRss), kb(memory.perProxyHeap), `${(idle * 100).toFixed(2)} %`],
  ]);
  return [
    table('Cold start', ['run', 'each p50 ms', 'p99', 'all ms', 'server CPU ms', 'loop delay p99', 'kB a proxy'], steps),
    table('Memory', ['run', 'start ms', 'RSS before MB', 'after', 'peak', 'heap at end', 'RSS a proxy kB', 'heap a proxy', 'idle CPU'], memory),
  ].join('\n');
}

/** What changes took and cost, one row for each run and kind. */
export function changeTable(title: string, runs: readonly RunFigures[]): string {
  const header = ['run', 'change', 'events', 'proxies', 'last p50 ms', 'p99', 'each p50', 'p99', 'CPU ms', 'median', 'kB', 'strays', 'loop delay p99'];
  return table(
    title,
    header,
    runs.flatMap(({ label, changes }) => changes.map((change) => [label, ...changeRow(change)])),
  );
}

/** What a real Envoy would have had trouble with, if there was anything. */
export function oddityLine(runs: readonly RunFigures[]): string {
  const odd = runs.flatMap(({ label, oddities }) => Object.entries(oddities).flatMap(([name, count]) => (count > 0 ? [`${label}: ${name} ${count}`] : [])));
  return odd.length === 0 ? 'Nothing that a real Envoy would have had trouble with.\n' : `A real Envoy would have had trouble: ${odd.join(', ')}\n`;
}

function stepRow(label: string, { each, wall, cpu, loopDelay, bytes }: Step): readonly string[] {
  return [label, ms(each.p50), ms(each.p99), ms(wall), ms(cpu), ms(loopDelay), kb(bytes)];
}

function changeRow({ kind, dependents, last, each, cpu, bytes, strays, loopDelay }: ChangeFigures): readonly string[] {
  const times = last.max === 0 ? ['', '', '', ''] : [last.p50, last.p99, each.p50, each.p99].map(ms);
  return [kind, String(last.count), dependents.toFixed(1), ...times, ms(cpu.mean), ms(cpu.p50), kb(bytes), String(strays), ms(loopDelay)];
}

function table(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const isText = header.map((_, column) => rows.some((row) => /[a-z]{3}/.test(row[column] ?? '')));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (isText[column] ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ');
  return `${title}\n${all.map((row) => `  ${line(row).trimEnd()}`).join('\n')}\n`;
}

function ms(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function kb(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
