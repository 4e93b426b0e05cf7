/** Runs helm with the chart that comes with Weft. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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
}

/** The arguments of helm that install or upgrade `chart`, or print what that would apply. */
export function installArguments(flags: InstallFlags, chart: string): readonly string[] {
  const settings = [...many('--values', flags.values), ...many('--set', flags.set)];
  if (flags.print) return ['template', flags.release, chart, '--namespace', flags.namespace, '--no-hooks', ...settings];
  const waiting = ['--wait', '--timeout', flags.timeout];
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

/** Runs helm in the foreground; resolves to its exit code. Rejects with what to do when it is not installed. */
export function runHelm(args: readonly string[], program = 'helm'): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', (error) => reject(explain(error, program)));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function explain(error: Error, program: string): Error {
  if (!('code' in error) || error.code !== 'ENOENT') return error;
  return new Error(`${program} is not installed, or not on the PATH; it installs the chart (https://helm.sh/docs/intro/install), version 3.16 or later`);
}
