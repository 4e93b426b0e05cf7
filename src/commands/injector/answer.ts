/** The injector's answer to an AdmissionReview. Keeps nothing of any pod. */
import { injectLabel } from '../../inject/annotations.js';
import { type Injected, inject } from '../../inject/patch.js';
import type { InjectSettings } from '../../inject/settings.js';
import { isPlain, textOf } from '../../kubernetes/plain.js';
import type { AdmissionAnswer, AdmissionRequest } from '../../webhook/admission.js';
import { patchBetween } from '../../webhook/json-patch.js';
import type { Labels, Namespaces } from './namespaces.js';

/** What answers are made from. */
export interface AnswerOptions {
  readonly namespaces: Pick<Namespaces, 'known' | 'ask'>;
  readonly settings: InjectSettings;
  /** Weft's own namespace, in which nothing is ever injected. */
  readonly ownNamespace: string;
  /** Letters and digits, new at each call. */
  readonly newKey: () => string;
}

/** An answer, and what was done in one word, for metrics: `injected`, `ignored`, or a reason such as `HostNetwork`. */
export interface Answered {
  readonly answer: AdmissionAnswer;
  readonly outcome: string;
}

const untouched = new Set(['kube-system', 'kube-public', 'kube-node-lease']);
const ignored: Answered = { answer: { allowed: true }, outcome: 'ignored' };

/** Answers for a pod that is being created; anything else is let pass. Never rejects: what cannot be decided is refused in words. */
export async function answerPod(request: AdmissionRequest, options: AnswerOptions): Promise<Answered> {
  const { kind, operation, subResource, namespace, object } = request;
  if (kind !== 'Pod' || operation !== 'CREATE' || subResource !== '' || object === undefined) return ignored;
  if (untouched.has(namespace) || namespace === options.ownNamespace) return ignored;
  try {
    return toAnswer(object, await decide(namespace, object, options), options.settings);
  } catch (error) {
    return { answer: { allowed: false, message: `the injector cannot tell whether this pod belongs in the mesh: ${messageOf(error)}` }, outcome: 'failed' };
  }
}

/** The API server asks only about pods that are wanted, as far as it knows; where it was told of a label first, that is the present one. */
async function decide(name: string, object: unknown, options: AnswerOptions): Promise<Injected> {
  const { settings, namespaces, newKey } = options;
  const by = (labels: Labels) => inject(object, { namespace: { name, labels }, settings, drainKey: newKey() });
  const known = namespaces.known(name);
  if (!known) return by(await namespaces.ask(name));
  const injected = by(known);
  const isStale = injected.kind === 'skip' && injected.reason === 'NotWanted' && !hasOwnLabel(object);
  return isStale ? by(await namespaces.ask(name)) : injected;
}

function toAnswer(object: unknown, injected: Injected, { version }: InjectSettings): Answered {
  if (injected.kind === 'deny') return { answer: { allowed: false, message: injected.message }, outcome: injected.reason };
  if (injected.kind === 'skip') {
    const warnings = injected.reason === 'NotWanted' ? [] : [injected.message];
    return { answer: { allowed: true, warnings, auditAnnotations: { skipped: injected.reason } }, outcome: injected.reason };
  }
  const patch = patchBetween(object, injected.pod);
  return { answer: { allowed: true, patch, warnings: injected.warnings, auditAnnotations: { injected: version } }, outcome: 'injected' };
}

function hasOwnLabel(object: unknown): boolean {
  const metadata = isPlain(object) ? object['metadata'] : undefined;
  return textOf(isPlain(metadata) ? metadata['labels'] : undefined, injectLabel) !== '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
