/** Reads kubeconfig files: which cluster and user a context means. Credentials are the business of credentials.ts. */
import { readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import { isPlain, textOf } from './plain.js';

/** One context with what it names, as a kubeconfig has them, paths made absolute. */
export interface Selection {
  readonly context: string;
  /** The namespace of the context, `default` where it names none. */
  readonly namespace: string;
  readonly server: string;
  readonly cluster: Fields;
  readonly user: Fields;
}

type Fields = Readonly<Record<string, unknown>>;

/** The entries of one list (`clusters`, `users`, `contexts`), by name. */
type Entries = ReadonlyMap<string, Fields>;

interface Kubeconfig {
  readonly currentContext: string;
  readonly clusters: Entries;
  readonly users: Entries;
  readonly contexts: Entries;
}

/**
 * Reads what `KUBECONFIG` may hold: one path, or several with the system's path delimiter between them, of which the first
 * that has an entry counts. Throws an Error that says what is missing and what there is instead.
 */
export function readKubeconfig(paths: string, wanted?: string | undefined): Selection {
  const { currentContext, clusters, users, contexts } = merge(paths.split(delimiter).filter(Boolean).map(readOne));
  const name = wanted ?? currentContext;
  if (!name) throw new Error(`${paths} has no current-context; name one of ${list(contexts)} with --context`);
  const context = entry(contexts, name, 'context', paths);
  const cluster = entry(clusters, textOf(context, 'cluster'), 'cluster', paths);
  const user = textOf(context, 'user') ? entry(users, textOf(context, 'user'), 'user', paths) : {};
  const server = textOf(cluster, 'server').replace(/\/+$/, '');
  if (!server.startsWith('https://')) throw new Error(`${paths}: the server of context ${name} is ${JSON.stringify(server)}; it must be an https:// URL`);
  return { context: name, namespace: textOf(context, 'namespace') || 'default', server, cluster, user };
}

function readOne(path: string): Kubeconfig {
  const raw = parseFile(path);
  const folder = dirname(path);
  return {
    currentContext: textOf(raw, 'current-context'),
    clusters: absolute(entriesOf(raw, 'clusters', 'cluster'), folder, ['certificate-authority']),
    users: absolute(entriesOf(raw, 'users', 'user'), folder, ['client-certificate', 'client-key', 'tokenFile']),
    contexts: entriesOf(raw, 'contexts', 'context'),
  };
}

function parseFile(path: string): Fields {
  const problem = (error: unknown) => new Error(`the kubeconfig ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  try {
    const raw: unknown = parse(readFileSync(path, 'utf8'));
    if (isPlain(raw)) return raw;
  } catch (error) {
    throw problem(error);
  }
  throw problem('it holds no map');
}

function entriesOf(raw: Fields, listName: string, field: string): Entries {
  const all = raw[listName];
  const named = Array.isArray(all) ? all.filter(isPlain) : [];
  const fields = named.map((each): readonly [string, Fields] => [textOf(each, 'name'), isPlain(each[field]) ? each[field] : {}]);
  return new Map(fields.toReversed());
}

/** Relative paths are meant from the folder of the file that they stand in. */
function absolute(entries: Entries, folder: string, fields: readonly string[]): Entries {
  const moved = (entry: Fields) => fields.filter((field) => textOf(entry, field) !== '').map((field) => [field, fromFolder(folder, textOf(entry, field))]);
  return new Map([...entries].map(([name, entry]) => [name, { ...entry, ...Object.fromEntries(moved(entry)) }]));
}

function fromFolder(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function merge(all: readonly Kubeconfig[]): Kubeconfig {
  const first = (pick: (one: Kubeconfig) => Entries): Entries => new Map(all.toReversed().flatMap((one) => [...pick(one)]));
  return {
    currentContext: all.find(({ currentContext }) => currentContext)?.currentContext ?? '',
    clusters: first(({ clusters }) => clusters),
    users: first(({ users }) => users),
    contexts: first(({ contexts }) => contexts),
  };
}

function entry(entries: Entries, name: string, kind: string, paths: string): Fields {
  const found = entries.get(name);
  if (!found) throw new Error(`${paths} has no ${kind} ${JSON.stringify(name)}; it has ${list(entries)}`);
  return found;
}

function list(entries: Entries): string {
  return entries.size > 0 ? [...entries.keys()].sort().join(', ') : 'none';
}
