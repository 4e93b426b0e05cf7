/** The conditions that follow from the objects alone: whether a policy is accepted, and whether what it refers to is there. Pure. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { Condition, OverriddenStanza } from './facts.js';

/** What the conditions of one policy are about. */
export interface Subject {
  readonly generation: number;
  /** The names of its stanzas. */
  readonly stanzas: readonly string[];
  /** What is wrong with the policy. */
  readonly diagnostics: readonly Diagnostic[];
  readonly overridden: readonly OverriddenStanza[];
  /** The generation that stays in force in place of one that is refused; undefined where there is none. */
  readonly inForce?: number | undefined;
}

const aboutReferences: ReadonlySet<string> = new Set(['BackendNotFound', 'RefNotPermitted']);
const aboutTargets = 'TargetNotFound';
const aboutOthers = 'Conflicted';
const closed = 'Closed';

/** Accepted, for the target with this index in `targetRefs`. A policy whose every stanza loses to an older one is not. */
export function accepted(subject: Subject, index: number): Condition {
  const { diagnostics, overridden, generation } = subject;
  const condition = (status: 'True' | 'False', reason: string, message: string): Condition => ({
    ...{ type: 'Accepted', status, reason, message, observedGeneration: generation },
  });
  const errors = worstFirst(diagnostics.filter(({ severity, reason }) => severity === 'error' && !isElsewhere(reason)));
  if (errors.length > 0) return condition('False', refusal(errors), `${textOf(errors)}${remains(subject)}`);
  const missing = diagnostics.filter(({ reason, field }) => reason === aboutTargets && isAbout(field, index));
  if (missing.length > 0) return condition('False', aboutTargets, textOf(missing));
  if (losesAll(subject)) return condition('False', aboutOthers, conflictText(overridden));
  const warnings = diagnostics.filter(({ severity, reason }) => severity === 'warning' && !isElsewhere(reason));
  return condition('True', 'Accepted', warnings.length > 0 ? `the policy is valid, but: ${textOf(warnings)}` : 'the policy is valid');
}

/** ResolvedRefs: whether the Services that rules refer to exist and may be used. */
export function resolvedRefs({ diagnostics, generation }: Subject): Condition {
  const problems = diagnostics.filter(({ reason }) => aboutReferences.has(reason));
  const [first] = problems;
  const common = { type: 'ResolvedRefs', observedGeneration: generation } as const;
  if (first) return { ...common, status: 'False', reason: first.reason, message: textOf(problems) };
  return { ...common, status: 'True', reason: 'ResolvedRefs', message: 'all that the policy refers to is there' };
}

/** Conflicted, only where some stanzas lose to an older policy of the same level. */
export function conflicted({ overridden, generation }: Subject): readonly Condition[] {
  if (!overridden.some(({ conflict }) => conflict)) return [];
  return [{ type: 'Conflicted', status: 'True', reason: 'Conflicted', message: conflictText(overridden), observedGeneration: generation }];
}

/** Told by another condition, or by Accepted in a way of its own. */
function isElsewhere(reason: string): boolean {
  return aboutReferences.has(reason) || reason === aboutTargets || reason === aboutOthers;
}

/** That calls are denied since the policy cannot be read is not to be overlooked among what is wrong with it. */
function worstFirst(errors: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...errors.filter(({ reason }) => reason === closed), ...errors.filter(({ reason }) => reason !== closed)];
}

/** The reason of the Gateway API for what is wrong with the object itself. */
function refusal(errors: readonly Diagnostic[]): string {
  return errors.every(({ reason }) => reason === 'UnsupportedValue' || reason === closed) ? 'UnsupportedValue' : 'Invalid';
}

function remains({ inForce, generation }: Subject): string {
  if (inForce === undefined) return '';
  return inForce === generation ? '' : `. Until then, generation ${inForce} stays in force`;
}

function isAbout(field: string, index: number): boolean {
  return field.startsWith(`spec.targetRefs[${index}]`);
}

function losesAll({ stanzas, overridden }: Subject): boolean {
  const lost = new Set(overridden.filter(({ conflict, scope }) => conflict && scope === undefined).map(({ stanza }) => stanza));
  return stanzas.length > 0 && stanzas.every((stanza) => lost.has(stanza));
}

function conflictText(overridden: readonly OverriddenStanza[]): string {
  const lost = overridden.filter(({ conflict }) => conflict);
  return several(
    lost.map(
      ({ stanza, by, scope }) =>
        `${stanza} is decided by ${by.kind} ${by.namespace}/${by.name}, which is older or comes first by name${scope ? ` (${scope})` : ''}`,
    ),
  );
}

/** Field, what is wrong, and the remedy, of the first few. */
function textOf(diagnostics: readonly Diagnostic[]): string {
  return several([...new Set(diagnostics.map(({ field, message, remedy }) => `${field ? `${field}: ` : ''}${message}; ${remedy}`))]);
}

const shown = 5;
const shownLength = 1000;

function several(texts: readonly string[]): string {
  const first = texts.slice(0, shown).map((text) => text.slice(0, shownLength));
  return [...first, ...(texts.length > shown ? [`and ${texts.length - shown} more`] : [])].join('. ');
}
