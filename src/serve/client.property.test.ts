import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Action, runModel } from '../../test/support/model.js';

const name = fc.constantFrom('a', 'b', 'c');
const route = fc.constantFrom('r', 's', 't');
const type = fc.constantFrom<'VirtualHost' | 'Cluster' | 'ClusterLoadAssignment'>('VirtualHost', 'Cluster', 'ClusterLoadAssignment');

/** Every action that a client or the world may take at any time. */
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant<'read'>('read'), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant<'answer'>('answer'),
      refuse: fc.integer({ max: 9, min: 0 }).map((roll) => roll === 9),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant<'ask'>('ask'), type, name: fc.oneof(name, route) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant<'leave'>('leave'), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant<'reconnect'>('reconnect') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant<'route'>('route'),
      name: route,
      clusters: fc.uniqueArray(name, { maxLength: 2 }),
      value: fc.constantFrom('1', '2'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant<'endpoints'>('endpoints'), name, value: fc.constantFrom('1', '2', '3') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant<'cluster'>('cluster'), name, value: fc.constantFrom('1', '2', 'poison') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant<'remove'>('remove'), type, name: fc.oneof(name, route) }) },
);

for (const variant of ['delta', 'sotw'] as const) {
  test(`${variant}: whatever happens in whatever order, a client ends with the state of the world, and gets there without a gap`, () => {
    const property = fc.property(fc.array(action, { minLength: 1, maxLength: 60, size: 'max' }), (actions) => {
      const problem = runModel(variant, actions);
      assert.equal(problem, undefined);
    });
    fc.assert(property, { seed: 20_260_601, numRuns: 1_500, includeErrorInReport: true });
  });
}
