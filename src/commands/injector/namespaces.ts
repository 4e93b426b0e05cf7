/** The labels of the namespaces, followed; a namespace newer than what was heard is asked for. */
import { createPace } from '../../identity/pace.js';
import { type KubeClient, KubeError } from '../../kubernetes/api.js';
import { fieldOf, isPlain, listOf, textOf } from '../../kubernetes/plain.js';
import type { Change } from '../../sources/change.js';
import { type KindState, watchCluster } from '../../sources/kubernetes.js';
import { kubernetesParsers } from '../../sources/parsers.js';

/** Labels of one namespace. */
export type Labels = Readonly<Record<string, string>>;

/** What is known of namespaces. */
export interface Namespaces {
  /** The labels by the watch; undefined when it has not told of the namespace. */
  readonly known: (name: string) => Labels | undefined;
  /** The labels by the API server, now. Rejects with an Error that says what to do. */
  readonly ask: (name: string) => Promise<Labels>;
  /** Resolves when all have been heard of once. */
  readonly ready: Promise<void>;
  readonly close: () => Promise<void>;
}

/** The webhook asks nobody who he is: whoever makes up namespaces has no more than so many of them looked up. */
const pace = { atOnce: 8, perSecond: 50, waiting: 100 };

/** Follows the namespaces of a cluster. Needs the verbs list and watch on them. */
export function followNamespaces(client: KubeClient, onState: (state: KindState) => void): Namespaces {
  const labels = new Map<string, Labels>();
  const onChange = (changes: readonly Change[]) => {
    for (const change of changes) {
      if (change.kind !== 'Namespace') continue;
      if (change.object) labels.set(change.key, change.object.labels);
      else labels.delete(change.key);
    }
  };
  const id = 'v1/Namespace';
  const parser = kubernetesParsers[id];
  if (!parser) throw new Error(`there is no parser for ${id}`);
  const watch = watchCluster({ client, parsers: { [id]: parser }, onChange, onState });
  const asked = new Map<string, Promise<Labels>>();
  const { run } = createPace(pace);
  const paced = async (name: string) => {
    const found = await run(() => fetchLabels(client, name));
    if (!found) throw new Error(`namespace ${name} cannot be read: too many are being asked for; try again`);
    return found;
  };
  return {
    known: (name) => labels.get(name),
    ask: (name) => {
      const answer = asked.get(name) ?? paced(name).finally(() => asked.delete(name));
      asked.set(name, answer);
      return answer;
    },
    ready: watch.ready,
    close: watch.close,
  };
}

/** By a list of one, which needs no other verb than the watch does. */
async function fetchLabels(client: KubeClient, name: string): Promise<Labels> {
  const query = { fieldSelector: `metadata.name=${name}` };
  const list = await client.request({ method: 'GET', path: '/api/v1/namespaces', query, timeoutMs: 2_000 }).catch((error: unknown) => {
    throw new Error(`namespace ${name} cannot be read (${error instanceof KubeError ? `${error.reason}: ` : ''}${String(error)}); try again`);
  });
  const metadata = listOf(list, 'items')
    .map((item) => fieldOf(item, 'metadata'))
    .find((each) => textOf(each, 'name') === name);
  if (!isPlain(metadata)) throw new Error(`there is no namespace ${name}; create it first`);
  const labels = isPlain(metadata['labels']) ? metadata['labels'] : {};
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
}
