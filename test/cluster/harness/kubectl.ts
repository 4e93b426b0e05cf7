/** The cluster that KUBECONFIG names, as kubectl shows it. */
import type { Manifest } from '../../support/manifests.js';
import { type CommandOptions, run } from './command.js';

/** Runs kubectl with these arguments; resolves to its output. */
export function kubectl(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return run('kubectl', args, options);
}

/** Applies objects. */
export async function apply(objects: readonly Manifest[], options: CommandOptions = {}): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await kubectl(['apply', '-f', '-'], { ...options, input: JSON.stringify(list) });
}

/** What a JSONPath expression says of an object; empty when it says nothing. */
export function field(namespace: string, kindAndName: string, jsonPath: string): Promise<string> {
  return kubectl(['-n', namespace, 'get', kindAndName, '-o', `jsonpath=${jsonPath}`]);
}

/** The names of the pods with these labels that are not on their way out, sorted. */
export async function podsOf(namespace: string, selector: string): Promise<readonly string[]> {
  const template = '{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}}{{"\\n"}}{{end}}{{end}}';
  const text = await kubectl(['-n', namespace, 'get', 'pods', '-l', selector, '-o', `go-template=${template}`]);
  return text.split('\n').filter(Boolean).sort();
}

/** Resolves once the newest version of a Deployment or StatefulSet is there, and no pod of an older one. */
export async function rolledOut(namespace: string, kindAndName: string): Promise<void> {
  await kubectl(['-n', namespace, 'rollout', 'status', kindAndName, '--timeout=180s'], { timeoutMs: 200_000 });
}

/** Resolves once a condition holds, such as `condition=Ready` of a pod. */
export async function waitFor(namespace: string, kindAndName: string, condition: string, seconds = 120): Promise<void> {
  await kubectl(['-n', namespace, 'wait', kindAndName, `--for=${condition}`, `--timeout=${seconds}s`], { timeoutMs: (seconds + 20) * 1000 });
}

/** What a command writes that is run in the container of a pod, `app` unless given. */
export function exec(namespace: string, pod: string, command: readonly string[], container = 'app', options: CommandOptions = {}): Promise<string> {
  return kubectl(['-n', namespace, 'exec', pod, '-c', container, '--', ...command], options);
}

/** What a container has logged, `app` unless given. */
export function logs(namespace: string, pod: string, container = 'app'): Promise<string> {
  return kubectl(['-n', namespace, 'logs', pod, '-c', container]);
}

/** The answer to a GET of the pod's port, through the API server. */
export function getFromPod(namespace: string, pod: string, port: number, path: string): Promise<string> {
  return kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`]);
}
