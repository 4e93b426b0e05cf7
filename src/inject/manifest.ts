/** Injection of whole manifests: Pods, and whatever makes Pods from a template. Pure. */
import { type InjectContext, type Injected, inject } from './patch.js';
import { type Fields, fieldOf, isFields } from './pod.js';

/** What became of one pod or template; `where` names its object: `Deployment shop/web`. */
export interface Outcome {
  readonly where: string;
  readonly injected: Injected;
}

/** A document, and what became of the pods in it. */
export interface InjectedDocument {
  /** The same value where nothing was to be injected. */
  readonly document: unknown;
  readonly outcomes: readonly Outcome[];
}

/** Where each kind has its pod; the empty path is the object itself. */
const templates: Readonly<Record<string, readonly string[]>> = {
  'v1/Pod': [],
  'apps/v1/Deployment': ['spec', 'template'],
  'apps/v1/StatefulSet': ['spec', 'template'],
  'apps/v1/DaemonSet': ['spec', 'template'],
  'apps/v1/ReplicaSet': ['spec', 'template'],
  'batch/v1/Job': ['spec', 'template'],
  'batch/v1/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
  'v1/ReplicationController': ['spec', 'template'],
};

/** Injects the pods of one document. `contextOf` is asked for each namespace; an object that names none gets the empty text. */
export function injectDocument(document: unknown, contextOf: (namespace: string) => InjectContext): InjectedDocument {
  if (!isFields(document)) return { document, outcomes: [] };
  if (isList(document)) return injectList(document, contextOf);
  const path = templates[`${String(document['apiVersion'])}/${String(document['kind'])}`];
  if (!path) return { document, outcomes: [] };
  const context = contextOf(textOf(document['metadata'], 'namespace'));
  const where = `${String(document['kind'])} ${context.namespace.name}/${textOf(document['metadata'], 'name') || '(no name)'}`;
  const injected = inject(valueAt(document, path), context);
  return { document: injected.kind === 'patch' ? withValue(document, path, injected.pod) : document, outcomes: [{ where, injected }] };
}

function isList(document: Fields): boolean {
  return Array.isArray(document['items']) && /^(?:[A-Z][A-Za-z]*)?List$/.test(String(document['kind']));
}

function injectList(list: Fields, contextOf: (namespace: string) => InjectContext): InjectedDocument {
  const items: readonly unknown[] = Array.isArray(list['items']) ? list['items'] : [];
  const injected = items.map((item) => injectDocument(item, contextOf));
  return { document: { ...list, items: injected.map(({ document }) => document) }, outcomes: injected.flatMap(({ outcomes }) => outcomes) };
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce(fieldOf, value);
}

function withValue(value: unknown, [step, ...rest]: readonly string[], next: unknown): unknown {
  if (step === undefined) return next;
  return isFields(value) ? { ...value, [step]: withValue(value[step], rest, next) } : value;
}

function textOf(value: unknown, field: string): string {
  const found = fieldOf(value, field);
  return typeof found === 'string' ? found : '';
}
