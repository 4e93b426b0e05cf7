/**
 * The golden cases of injection: `golden/NAME/pod.yaml`, a Namespace and an object with a pod in it, gives `pod.golden.yaml`. The bootstrap,
 * the same almost everywhere, stands there as `<bootstrap>`; a case that has a `bootstrap.golden.yaml` shows it too.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { injectDocument, type Outcome } from '../../src/inject/manifest.js';
import type { InjectContext } from '../../src/inject/patch.js';
import { defaultSettings } from '../../src/inject/settings.js';

/** A case, read from its folder. */
export interface InjectCase {
  readonly name: string;
  readonly folder: string;
  readonly document: unknown;
  readonly context: InjectContext;
  readonly showsBootstrap: boolean;
}

/** The sources are read, not the compiled copies, so that goldens can be updated in place. */
const root = fileURLToPath(new URL('../../../test/inject/golden', import.meta.url));

/** Every case, in the order of the names. */
export async function readInjectCases(): Promise<readonly InjectCase[]> {
  return Promise.all((await readdir(root)).sort().map(readCase));
}

async function readCase(name: string): Promise<InjectCase> {
  const folder = join(root, name);
  const files = new Set(await readdir(folder));
  const settings = files.has('settings.yaml') ? parse(await readFile(join(folder, 'settings.yaml'), 'utf8')) : {};
  const [namespace, document] = parseAllDocuments(await readFile(join(folder, 'pod.yaml'), 'utf8')).map((each) => each.toJS());
  const { name: own, labels = {} } = namespace.metadata;
  const context = { namespace: { name: own, labels }, settings: { ...defaultSettings, version: '0.1.0', ...settings }, drainKey: 'k3yOfTheKubelet0' };
  return { name, folder, document, context, showsBootstrap: files.has('bootstrap.golden.yaml') };
}

/** What the case becomes, and its bootstrap as the kubelet would hand it to Envoy for the pod `shop/web-1` at 10.244.0.7. */
export interface InjectResult {
  /** The text of `pod.golden.yaml`. */
  readonly golden: string;
  /** What {@link injectDocument} gave. */
  readonly document: unknown;
  readonly outcomes: readonly Outcome[];
  readonly bootstraps: readonly unknown[];
}

/** Injects the case. */
export function injectCase({ document, context }: InjectCase): InjectResult {
  const result = injectDocument(document, () => context);
  const bootstraps: unknown[] = [];
  const shorten = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => (value[index - 1] === '--config-yaml' ? keep(item) : shorten(item)));
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shorten(item)])) : value;
  };
  const keep = (text: string) => {
    bootstraps.push(JSON.parse(asKubelet(text)));
    return '<bootstrap>';
  };
  const outcomes = result.outcomes.map(({ where, injected }) => {
    if (injected.kind !== 'patch') return { where, ...injected };
    return { where, kind: injected.kind, ...(injected.warnings.length > 0 ? { warnings: injected.warnings } : {}) };
  });
  const isSame = result.document === document;
  const golden = format({ outcomes, ...(isSame ? {} : { document: shorten(result.document) }) });
  return { golden, document: result.document, outcomes: result.outcomes, bootstraps };
}

/** The text of a golden file. */
export function format(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

const variables: Readonly<Record<string, string>> = { POD_NAME: 'web-1', POD_NAMESPACE: 'shop', POD_IP: '10.244.0.7' };

/** `$(NAME)` becomes the variable's value where there is one, `$$` becomes `$`. */
export function asKubelet(text: string): string {
  return text.replaceAll(/\$(\$|\(([A-Z_]+)\))/g, (found, what: string, name?: string) => (what === '$' ? '$' : (variables[name ?? ''] ?? found)));
}
