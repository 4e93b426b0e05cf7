/** Runs helm with the chart that comes with Weft. */
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fieldOf, numberOf, textOf } from '../kubernetes/plain.js';
import type { ClusterFlags } from './cluster.js';

/** What `weft install` and `weft uninstall` have in common. */
export interface ReleaseFlags extends ClusterFlags {
  readonly release: string;
  readonly timeout: string;
}

/** What `weft install` is told. */
export interface InstallFlags extends ReleaseFlags {
  readonly chart?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly values?: readonly string[] | undefined;
  readonly print: boolean;
  readonly output: 'text' | 'json';
}

/** The arguments of helm that install or upgrade `chart`, or print what that would apply. */
export function installArguments(flags: InstallFlags, chart: string): readonly string[] {
  const settings = [...many('--values', flags.values), ...many('--set', flags.set)];
  if (flags.print) return ['template', flags.release, chart, '--namespace', flags.namespace, '--no-hooks', ...settings];
  const waiting = ['--wait', '--timeout', flags.timeout, ...(flags.output === 'json' ? ['--output', 'json'] : [])];
  return ['upgrade', flags.release, chart, '--install', '--create-namespace', ...waiting, ...clusterArguments(flags), ...settings];
}

/** The arguments of helm that remove the release. */
export function uninstallArguments(flags: ReleaseFlags): readonly string[] {
  return ['uninstall', flags.release, '--wait', '--timeout', flags.timeout, ...clusterArguments(flags)];
}

function clusterArguments({ namespace, kubeconfig, context }: ClusterFlags): readonly string[] {
  return ['--namespace', namespace, ...many('--kubeconfig', kubeconfig && [kubeconfig]), ...many('--kube-context', context && [context])];
}

function many(flag: string, values: readonly string[] | '' | undefined): readonly string[] {
  return (values || []).flatMap((value) => [flag, value]);
}

/** The folder of the chart: the one that is named, or the one beside the program. Throws an Error when there is none. */
export function findChart(named: string | undefined): string {
  const chart = named ?? fileURLToPath(new URL('../../../charts/weft', import.meta.url));
  if (existsSync(`${chart}/Chart.yaml`)) return chart;
  throw new Error(`there is no chart in ${chart}; name its folder with --chart`);
}

/** What helm has printed, and its exit code. */
export interface HelmRun {
  readonly code: number;
  /** Empty where it was not captured. */
  readonly text: string;
}

/** Runs helm in the foreground; `capture` keeps what it prints instead of showing it. Rejects with what to do when it is not installed. */
export function runHelm(args: readonly string[], { capture = false, program = 'helm' } = {}): Promise<HelmRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['inherit', capture ? 'pipe' : 'inherit', 'inherit'] });
    const parts: Buffer[] = [];
    child.stdout?.on('data', (part: Buffer) => parts.push(part));
    child.once('error', (error) => reject(explain(error, program)));
    child.once('close', (code) => resolve({ code: code ?? 1, text: Buffer.concat(parts).toString('utf8') }));
  });
}

/** What an installation has come to, of helm's own account, which holds the whole chart. */
export function releaseOf(text: string): object {
  const release: unknown = JSON.parse(text);
  const metadata = fieldOf(fieldOf(release, 'chart'), 'metadata');
  return {
    release: textOf(release, 'name'),
    namespace: textOf(release, 'namespace'),
    revision: numberOf(release, 'version'),
    status: textOf(fieldOf(release, 'info'), 'status'),
    version: textOf(metadata, 'appVersion'),
  };
}

function explain(error: Error, program: string): Error {
  if (!('code' in error) || error.code !== 'ENOENT') return error;
  return new Error(`${program} is not installed, or not on the PATH; it installs the chart (https://helm.sh/docs/intro/install), version 3.16 or later`);
}
