/** Replicas of Weft hear of the same objects at different times and in different orders; what they serve is the same to the byte. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createCompiler } from '../../src/compile/compiler.js';
import type { Audience } from '../../src/compile/contract.js';
import { renderAll } from '../../src/compile/render.js';
import { type Controller, createController } from '../../src/controller.js';
import type { ResourceName } from '../../src/envoy/resource.js';
import type { Entry } from '../../src/snapshot/entry.js';
import type { Change } from '../../src/sources/change.js';
import { createStore } from '../../src/sources/store.js';
import { readCases } from '../golden/cases.js';
import { meshOf } from '../golden/world.js';

const cases = await readCases();
const everything = cases.flatMap(({ world }) => world.changes);
const idOf = ({ kind, key }: Change) => `${kind} ${key}`;

function replica(): Controller {
  const onDefect = (_: object, error: unknown) => assert.fail(String(error));
  return createController({ store: createStore(), compiler: createCompiler(), onDefect });
}

/** All that a client of this audience may be sent in the end, and some names that nobody has. */
function namesFor(changes: readonly Change[], audience: Audience, asked: readonly ResourceName[]): readonly ResourceName[] {
  const services = changes.flatMap((change) => (change.kind === 'Service' && change.object ? [change.object.key] : []));
  return [...renderAll(meshOf(changes), createCompiler(), audience, services).resources, ...asked, { type: 'VirtualHost', name: 'out/nobody.shop' }];
}

const watch = ({ snapshot }: Controller, audience: Audience, names: readonly ResourceName[]): readonly Entry[] =>
  names.map(({ type, name }) => snapshot.view(audience).watch(type, name, { changed: () => undefined }));

const served = (entries: readonly Entry[]) =>
  entries.map((entry) => {
    const resource = entry.current();
    return [entry.type, entry.name, resource?.version, resource?.any.toString('base64'), resource?.delta.toString('base64'), resource?.references];
  });

/** Objects come, change and go in this order; in the end there is exactly what there is in `final`. */
function historyOf(final: readonly Change[], order: readonly Change[]): readonly Change[] {
  const wanted = new Map(final.map((change) => [idOf(change), change]));
  const last = new Map([...order, ...final].map((change) => [idOf(change), change]));
  const settled = [...last.values()].map((change): Change => wanted.get(idOf(change)) ?? { ...change, object: undefined });
  return [...order, ...settled];
}

test('two replicas with different pasts serve the same bytes under the same versions', () => {
  const arbitrary = fc.constantFrom(...cases).chain((each) =>
    fc.record({
      each: fc.constant(each),
      audience: fc.constantFrom(...Object.values(each.audiences)),
      past: fc.shuffledSubarray(everything, { maxLength: 60 }),
      arrival: fc.shuffledSubarray([...each.world.changes], { minLength: each.world.changes.length }),
      batch: fc.integer({ min: 1, max: 20 }),
    }),
  );
  fc.assert(
    fc.property(arbitrary, ({ each, audience, past, arrival, batch }) => {
      const names = namesFor(each.world.changes, audience, each.asked);
      const fresh = replica();
      fresh.apply(each.world.changes);
      const aged = replica();
      const watched = watch(aged, audience, names);
      const history = historyOf(arrival, past);
      for (let from = 0; from < history.length; from += batch) aged.apply(history.slice(from, from + batch));
      assert.deepEqual(served(watched), served(watch(fresh, audience, names)));
    }),
    { numRuns: 150 },
  );
});
