import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '../validate.js';
import { feature } from './index.js';

test('it is for the proxies of the Service, and knows three modes', () => {
  assert.equal(feature.side, 'Server');
  for (const mode of ['Strict', 'Permissive', 'Disabled']) assert.deepEqual(validate(feature.schema, { mode }), []);
  assert.equal(validate(feature.schema, { mode: 'strict' })[0]?.field, 'mode');
});
