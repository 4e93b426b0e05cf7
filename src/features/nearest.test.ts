import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.js';

test('a slip of the finger finds the word that was meant', () => {
  const stanzas = ['timeouts', 'retry', 'retryConstraint', 'circuitBreaker', 'rules'];
  const slips = { timeout: 'timeouts', Retry: 'retry', rerty: 'retry', circutBreaker: 'circuitBreaker', rule: 'rules', constraint: 'retryConstraint' };
  for (const [slip, meant] of Object.entries(slips)) assert.equal(nearest(slip, stanzas), meant, slip);
});

test('another word finds nothing', () => {
  for (const word of ['', 'x', 'replicas', 'x'.repeat(10_000)]) assert.equal(nearest(word, ['timeouts', 'retry']), undefined, word.slice(0, 20));
});
