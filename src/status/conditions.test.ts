import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../model/diagnostic.js';
import { keyOf } from '../model/name.js';
import type { TargetRef, TrafficPolicy } from '../model/policy.js';
import { createBrokenPolicies } from './broken.js';
import { desiredStatuses } from './conditions.js';
import type { OverriddenStanza, StatusFacts } from './facts.js';
import { stampConditions, stampPolicy } from './stamp.js';
import { noProxies } from './tally.js';

const target = (name: string, fields: Partial<TargetRef> = {}): TargetRef => ({ kind: 'Service', namespace: 'shop', name, ...fields });
const policy = (fields: Partial<TrafficPolicy> = {}): TrafficPolicy => ({
  ...{ key: keyOf('shop', 'p'), namespace: 'shop', name: 'p', creationTimestamp: '', generation: 7, targetRefs: [target('web')], mode: 'Enforce' },
  ...{ stanzas: { rules: [], timeouts: {} }, ...fields },
});
const problem = (reason: string, field: string, severity: Diagnostic['severity'] = 'warning'): Diagnostic => ({
  ...{ severity, reason, field, object: { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' }, message: `${field} is bad`, remedy: 'mend it' },
});
const lost = (stanza: string, fields: Partial<OverriddenStanza> = {}): OverriddenStanza => ({
  ...{ stanza, by: { kind: 'TrafficPolicy', namespace: 'shop', name: 'old' }, conflict: true, ...fields },
});
const counted = (matched: number, acknowledged: number, rejected: number, pending: number) => ({ policy: 'shop/p', matched, acknowledged, rejected, pending });

function factsOf(fields: Partial<StatusFacts>): StatusFacts {
  return { policies: [policy()], broken: [], diagnostics: [], counts: new Map(), overridden: new Map(), ...fields };
}

function ancestorsOf(fields: Partial<StatusFacts>) {
  return desiredStatuses(factsOf(fields)).get('shop/p')?.ancestors ?? [];
}

/** `Type=Status/Reason` of each condition, ancestor by ancestor. */
function conditionsOf(fields: Partial<StatusFacts>): readonly string[] {
  return ancestorsOf(fields).map(({ conditions }) => conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`).join(' '));
}

const fine = 'Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs';

test('what the proxies say', () => {
  const cases: readonly (readonly [ReturnType<typeof counted>, string])[] = [
    [counted(0, 0, 0, 0), 'Unknown/NoProxies'],
    [counted(42, 42, 0, 0), 'True/Programmed'],
    [counted(42, 40, 0, 2), 'False/Pending'],
    [counted(42, 41, 1, 0), 'False/PartiallyProgrammed'],
    [counted(3, 0, 1, 2), 'False/PartiallyProgrammed'],
    [counted(2, 0, 2, 0), 'False/Rejected'],
  ];
  for (const [row, expected] of cases) assert.deepEqual(conditionsOf({ counts: new Map([['shop/p', row]]) }), [`${fine} Programmed=${expected}`]);
  assert.deepEqual(conditionsOf({ policies: [policy({ mode: 'Shadow' })] }), [`${fine} Programmed=False/Shadow`]);
  const [ancestor] = ancestorsOf({ counts: new Map([['shop/p', counted(42, 40, 1, 1)]]) });
  assert.equal(ancestor?.conditions[2]?.message, '40 of 42 connected proxies run generation 7; 1 rejected it; 1 has not answered yet');
  assert.deepEqual([ancestor?.proxies, ancestor?.conditions[2]?.observedGeneration], [{ matched: 42, acknowledged: 40, rejected: 1, pending: 1 }, 7]);
});

test('what the objects say', () => {
  const not = 'Programmed=False/Invalid';
  const refs = 'ResolvedRefs=True/ResolvedRefs';
  const idle = 'Programmed=Unknown/NoProxies';
  const cases: readonly (readonly [Partial<StatusFacts>, string])[] = [
    [{ diagnostics: [problem('TargetNotFound', 'spec.targetRefs[0].name')] }, `Accepted=False/TargetNotFound ${refs} ${not}`],
    [{ diagnostics: [problem('BackendNotFound', 'spec.rules[0]', 'error')] }, `Accepted=True/Accepted ResolvedRefs=False/BackendNotFound ${idle}`],
    [{ diagnostics: [problem('RefNotPermitted', 'spec.rules[0]', 'error')] }, `Accepted=True/Accepted ResolvedRefs=False/RefNotPermitted ${idle}`],
    [{ diagnostics: [problem('NotHttp', 'spec.rules')] }, `Accepted=True/Accepted ${refs} ${idle}`],
    [{ diagnostics: [problem('UnsupportedValue', 'spec.rules', 'error')] }, `Accepted=False/UnsupportedValue ${refs} ${not}`],
    [{ overridden: new Map([['shop/p', [lost('rules'), lost('timeouts')]]]) }, `Accepted=False/Conflicted ${refs} ${not} Conflicted=True/Conflicted`],
    [{ overridden: new Map([['shop/p', [lost('rules')]]]) }, `${fine} ${idle} Conflicted=True/Conflicted`],
    [{ overridden: new Map([['shop/p', [lost('rules'), lost('timeouts', { scope: 'port 80' })]]]) }, `${fine} ${idle} Conflicted=True/Conflicted`],
    [{ overridden: new Map([['shop/p', [lost('rules', { conflict: false }), lost('timeouts', { conflict: false })]]]) }, `${fine} ${idle}`],
  ];
  for (const [facts, expected] of cases) assert.deepEqual(conditionsOf(facts), [expected]);
});

test('a target that is missing spoils only its own ancestor; ancestors are sorted, told apart, and at most 16', () => {
  const targetRefs = [target('web'), target('api', { sectionName: 'http' }), target('api', { namespace: 'other' }), target('web')];
  const found = ancestorsOf({ policies: [policy({ targetRefs })], diagnostics: [problem('TargetNotFound', 'spec.targetRefs[1].sectionName')] });
  assert.deepEqual(
    found.map(({ ancestorRef, conditions }) => [ancestorRef, conditions[0]?.reason]),
    [
      [{ group: '', kind: 'Service', name: 'api', sectionName: 'http' }, 'TargetNotFound'],
      [{ group: '', kind: 'Service', name: 'web' }, 'Accepted'],
      [{ group: '', kind: 'Service', namespace: 'other', name: 'api' }, 'Accepted'],
    ],
  );
  const many = Array.from({ length: 20 }, (_, index) => target(`s${index}`));
  assert.equal(ancestorsOf({ policies: [policy({ targetRefs: many })] }).length, 16);
});

test('what another policy displaces, and what a proxy refuses, is told within the bounds of the schema', () => {
  const stanzas = Array.from({ length: 20 }, (_, index) => lost(`s${index}`, { conflict: false, scope: 'callers in namespace checkout' }));
  const lastRejection = { proxy: 'shop/web-1', resource: 'VirtualHost x', stanza: 'rules[beta]', message: 'm'.repeat(9000) };
  const [ancestor] = ancestorsOf({ overridden: new Map([['shop/p', stanzas]]), counts: new Map([['shop/p', { ...counted(1, 0, 1, 0), lastRejection }]]) });
  assert.deepEqual(ancestor?.overridden?.[0], { stanza: 's0', by: 'shop/TrafficPolicy/old', scope: 'callers in namespace checkout' });
  assert.deepEqual([ancestor?.overridden?.length, ancestor?.lastRejection?.stanza, ancestor?.lastRejection?.message?.length], [16, 'rules[beta]', 4096]);
});

test('a broken policy says so, with its own generation, and what stays in force', () => {
  const broken = createBrokenPolicies();
  const raw = (name: string, spec: object) => ({ metadata: { namespace: 'shop', name, generation: 8 }, spec });
  broken.note(
    raw('p', {
      targetRefs: [
        { kind: 'Service', name: 'web' },
        { kind: 'Pod', name: 'x' },
      ],
    }),
    true,
  );
  broken.note(raw('mended', {}), true);
  broken.note(raw('mended', {}), false);
  broken.note(raw('gone', {}), true);
  broken.note(raw('empty', { targetRefs: 5 }), true);
  const known = broken.among(new Set(['shop/p', 'shop/mended', 'shop/empty']));
  const all = desiredStatuses(factsOf({ broken: known, diagnostics: [problem('Invalid', 'spec.timeouts', 'error')] }));
  assert.deepEqual([...all.keys()], ['shop/p', 'shop/empty']);
  const [ancestor] = all.get('shop/p')?.ancestors ?? [];
  assert.equal(all.get('shop/p')?.observedGeneration, 8);
  assert.deepEqual(ancestor?.conditions[0]?.message, 'spec.timeouts: spec.timeouts is bad; mend it. Until then, generation 7 stays in force');
  assert.deepEqual(
    ancestor?.conditions.map(({ reason }) => reason),
    ['Invalid', 'Invalid'],
  );
  assert.deepEqual(all.get('shop/empty')?.ancestors[0]?.ancestorRef, { group: 'weft.dev', kind: 'TrafficPolicy', name: 'empty' });
});

const [early, late] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'];

function desired(fields: Partial<StatusFacts> = {}) {
  const status = desiredStatuses(factsOf(fields)).get('shop/p');
  assert.ok(status);
  return status;
}

test('the time of a condition is kept until its status changes, and what says the same is not written', () => {
  const first = stampPolicy(desired(), undefined, early);
  assert.equal(stampPolicy(desired(), JSON.parse(JSON.stringify(first)), late), undefined);
  const second = stampPolicy(desired({ counts: new Map([['shop/p', { ...noProxies, policy: 'shop/p', matched: 1, acknowledged: 1 }]]) }), first, late);
  assert.match(JSON.stringify(first), /"type":"Programmed".*"status":"Unknown".*"lastTransitionTime":"2026-01-01T00:00:00Z"/);
  const times = JSON.stringify(second).match(/"lastTransitionTime":"[^"]*"/g);
  assert.deepEqual(
    times,
    [early, early, late].map((time) => `"lastTransitionTime":"${time}"`),
  );
});

test('ancestors of other controllers stay, and the bound of 16 holds for all together', () => {
  const other = (name: string) => ({ ancestorRef: { name }, controllerName: 'example.com/other', conditions: [] });
  const present = { ancestors: [other('x'), { ancestorRef: { group: '', kind: 'Service', name: 'gone' }, controllerName: 'weft.dev/controller' }] };
  const text = JSON.stringify(stampPolicy(desired(), present, early));
  assert.deepEqual([text.includes('example.com/other'), text.includes('"gone"'), text.includes('"web"')], [true, false, true]);
  const full = { ancestors: Array.from({ length: 16 }, (_, index) => other(`x${index}`)) };
  assert.deepEqual(stampPolicy(desired(), full, early), { observedGeneration: 7, ancestors: full.ancestors });
});

test('a Mesh has conditions only', () => {
  const condition = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '', observedGeneration: 1 } as const;
  const first = stampConditions([condition], undefined, early);
  assert.deepEqual(first, { conditions: [{ ...condition, lastTransitionTime: early }] });
  assert.equal(stampConditions([condition], first, late), undefined);
});
