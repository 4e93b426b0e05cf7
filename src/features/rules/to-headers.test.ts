import assert from 'node:assert/strict';
import test from 'node:test';
import type { Filter } from './schema.js';
import { type HeaderChanges, toBackendHeaderChanges } from './to-headers.js';

type Modifier = NonNullable<Filter['requestHeaderModifier']>;

/** The values of the header `x` as Envoy makes them for one list of changes: it removes, then sets, then adds. */
function values({ request_headers_to_add = [], request_headers_to_remove = [] }: HeaderChanges): readonly string[] {
  const isX = (name: string | undefined) => name?.toLowerCase() === 'x';
  const sent = request_headers_to_remove.some(isX) ? [] : ['sent'];
  const own = request_headers_to_add.filter(({ header }) => isX(header?.key));
  const ofAction = (action: string) => own.filter(({ append_action }) => append_action === action).map(({ header }) => header?.value ?? '');
  const set = ofAction('OVERWRITE_IF_EXISTS_OR_ADD').slice(-1);
  return [...(set.length > 0 ? set : sent), ...ofAction('APPEND_IF_EXISTS_OR_ADD')];
}

const set = (value: string): Modifier => ({ set: [{ name: 'X', value }] });
const add = (value: string): Modifier => ({ add: [{ name: 'x', value }] });
const remove: Modifier = { remove: ['X'] };

const table: readonly (readonly [Modifier, Modifier, readonly string[]])[] = [
  [set('rule'), set('own'), ['own']],
  [set('rule'), add('own'), ['rule', 'own']],
  [set('rule'), remove, []],
  [add('rule'), set('own'), ['own']],
  [add('rule'), add('own'), ['sent', 'rule', 'own']],
  [add('rule'), remove, []],
  [remove, set('own'), ['own']],
  [remove, add('own'), ['own']],
  [remove, remove, []],
  [set('rule'), {}, ['rule']],
  [{}, {}, ['sent']],
];

for (const [rule, backend, expected] of table) {
  test(`the rule's ${JSON.stringify(rule)} and then the backend's ${JSON.stringify(backend)}`, () => {
    const filters = (requestHeaderModifier: Modifier): readonly Filter[] => [{ type: 'RequestHeaderModifier', requestHeaderModifier }];
    assert.deepEqual(values(toBackendHeaderChanges(filters(rule), filters(backend))), expected);
  });
}
