/** The chart, rendered by Helm and put into an API server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../../src/kubernetes/api.js';
import { isPlain, textOf } from '../../src/kubernetes/plain.js';
import { collectionPath } from '../../src/sources/kubernetes/collection.js';

/** An object as the chart makes it. */
export interface ChartObject {
  readonly kind: string;
  readonly name: string;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** What the chart makes in a namespace, with its default values. */
export async function renderChart(namespace: string): Promise<readonly ChartObject[]> {
  const { stdout } = await promisify(execFile)('helm', ['template', 'weft', 'charts/weft', '--namespace', namespace], { maxBuffer: 32 * 1024 * 1024 });
  const documents = parseAllDocuments(stdout).map((document): unknown => document.toJS());
  return documents.filter(isPlain).map((raw) => ({
    ...{ raw, kind: textOf(raw, 'kind') },
    ...{ name: textOf(raw['metadata'], 'name'), namespace: textOf(raw['metadata'], 'namespace') },
  }));
}

/** Puts an object into the API server, as kubectl apply does. */
export async function applyObject(client: KubeClient, raw: Readonly<Record<string, unknown>>): Promise<void> {
  const [kind, namespace, name] = [textOf(raw, 'kind'), textOf(raw['metadata'], 'namespace'), textOf(raw['metadata'], 'name')];
  const collection = collectionPath(`${textOf(raw, 'apiVersion')}/${kind}`);
  const path = namespace ? collection.replace(/[^/]+$/, `namespaces/${namespace}/$&`) : collection;
  await client.request({ method: 'PATCH', path: `${path}/${name}`, patch: 'apply', query: { fieldManager: 'test', force: 'true' }, body: raw });
}
