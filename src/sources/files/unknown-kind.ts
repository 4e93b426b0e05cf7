/** What to say of a kind that nothing here reads: mostly nothing, unless it looks like a slip. */

import { isPlain, type Plain, textOf } from '../../kubernetes/plain.js';
import type { Parsers } from '../change.js';

/** What is wrong with `apiVersion` or `kind`. */
export interface KindProblem {
  readonly severity: 'error' | 'warning';
  readonly field: 'apiVersion' | 'kind';
  readonly message: string;
  readonly remedy: string;
}

/** Routes whose parent is a Service are about calls within the mesh; those of a Gateway are another controller's. */
export function isMeshRoute(value: Plain): boolean {
  const [apiVersion, kind] = [textOf(value, 'apiVersion'), textOf(value, 'kind')];
  if (!apiVersion.startsWith('gateway.networking.k8s.io/') || !['HTTPRoute', 'GRPCRoute'].includes(kind)) return false;
  const parents = isPlain(value['spec']) ? value['spec']['parentRefs'] : undefined;
  return Array.isArray(parents) && parents.some((parent) => textOf(parent, 'kind') === 'Service');
}

/** What to say of such a route. */
export const meshRoute: KindProblem = {
  severity: 'warning',
  field: 'kind',
  message: 'is not read yet, so that this route takes no effect',
  remedy: 'write its rules into the rules of a TrafficPolicy, which have the fields of an HTTPRoute',
};

interface KindName {
  readonly group: string;
  readonly apiVersion: string;
  readonly kind: string;
}

/** The API group of Weft's own kinds. */
export const ownGroup = 'weft.dev';

/**
 * A folder may hold every kind that Kubernetes knows, so a kind without a parser is no news, except in our own group (an
 * error, for it was meant for us) and where only a letter or the version keeps it from being one that is read (a warning).
 */
export function judgeKind(apiVersion: string, kind: string, parsers: Parsers): KindProblem | undefined {
  const given = nameOf(apiVersion, kind);
  const similar = Object.keys(parsers)
    .map(splitId)
    .filter((known) => isSimilar(given, known));
  const [likeliest] = similar.sort((a, b) => distanceOf(given, a) - distanceOf(given, b));
  const severity = given.group === ownGroup || likeliest?.group === ownGroup ? 'error' : 'warning';
  if (likeliest) return suggest(severity, given, likeliest);
  if (given.group !== ownGroup) return undefined;
  const kinds = Object.keys(parsers)
    .map(splitId)
    .filter(({ group }) => group === ownGroup);
  const remedy = kinds.length > 0 ? `use one of ${kinds.map((each) => `${each.kind} (${each.apiVersion})`).join(', ')}` : 'remove the object';
  return { severity, field: 'kind', message: `is not a kind of ${given.apiVersion}`, remedy };
}

function suggest(severity: 'error' | 'warning', given: KindName, likeliest: KindName): KindProblem {
  if (given.kind === likeliest.kind) {
    return { severity, field: 'apiVersion', message: `is not an apiVersion of ${given.kind} that is read`, remedy: `did you mean ${likeliest.apiVersion}?` };
  }
  const meant = given.apiVersion === likeliest.apiVersion ? likeliest.kind : `${likeliest.kind} of ${likeliest.apiVersion}`;
  return { severity, field: 'kind', message: `is not a kind of ${given.apiVersion} that is read`, remedy: `did you mean ${meant}?` };
}

/** The same kind of the same name in an unrelated group is another kind (there is a Service in serving.knative.dev). */
function isSimilar(given: KindName, known: KindName): boolean {
  const isGroupClose = given.group === '' || distance(given.group, known.group) <= 2;
  return isGroupClose && distance(given.kind, known.kind) <= Math.min(2, Math.floor((known.kind.length - 1) / 2));
}

function distanceOf(given: KindName, known: KindName): number {
  return distance(given.kind, known.kind) + distance(given.apiVersion, known.apiVersion) / 100;
}

function splitId(id: string): KindName {
  const slash = id.lastIndexOf('/');
  return nameOf(id.slice(0, slash), id.slice(slash + 1));
}

function nameOf(apiVersion: string, kind: string): KindName {
  const slash = apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), apiVersion, kind };
}

/** How many letters have to be added, removed or replaced (Levenshtein), for the short texts that names are. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
