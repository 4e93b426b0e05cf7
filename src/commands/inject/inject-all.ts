/** Injects all documents of a text as the webhook would, had their namespaces the label. */
import { injectLabel } from '../../inject/annotations.js';
import { injectDocument, type Outcome } from '../../inject/manifest.js';
import type { InjectSettings } from '../../inject/settings.js';
import { isPlain, textOf } from '../../kubernetes/plain.js';
import type { SourceDocument } from './documents.js';

/** What became of the documents; sentences about pods that were left out, and about those that cannot be meshed. */
export interface AllInjected {
  readonly documents: readonly SourceDocument[];
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** Injects what has not said no by its own label. Where the Namespace is among the documents, its Pod Security level counts. */
export function injectAll(documents: readonly SourceDocument[], settings: InjectSettings, newKey: () => string): AllInjected {
  const labels = new Map(documents.flatMap(({ value }) => namespaceIn(value)));
  const contextOf = (namespace: string) => {
    const name = namespace || 'default';
    return { namespace: { name, labels: { ...labels.get(name), [injectLabel]: 'true' } }, settings, drainKey: newKey() };
  };
  const results = documents.map((document) => {
    const { document: value, outcomes } = injectDocument(document.value, contextOf);
    return { document: value === document.value || !outcomes.some(isPatch) ? document : { value, source: undefined }, outcomes };
  });
  const outcomes = results.flatMap((result) => result.outcomes);
  return {
    documents: results.map(({ document }) => document),
    notes: outcomes.flatMap(notesOf),
    problems: outcomes.flatMap(({ where, injected }) => (injected.kind === 'deny' ? [`${where}: ${injected.message}`] : [])),
  };
}

function isPatch({ injected }: Outcome): boolean {
  return injected.kind === 'patch';
}

function notesOf({ where, injected }: Outcome): readonly string[] {
  if (injected.kind === 'skip') return [`${where}: ${injected.message}`];
  return injected.kind === 'patch' ? injected.warnings.map((warning) => `${where}: ${warning}`) : [];
}

function namespaceIn(value: unknown): readonly (readonly [string, Readonly<Record<string, string>>])[] {
  if (!isPlain(value) || value['kind'] !== 'Namespace' || value['apiVersion'] !== 'v1') return [];
  const metadata = isPlain(value['metadata']) ? value['metadata'] : {};
  const labels = isPlain(metadata['labels']) ? metadata['labels'] : {};
  return [[textOf(metadata, 'name'), Object.fromEntries(Object.entries(labels).map(([key, label]) => [key, String(label)]))]];
}
