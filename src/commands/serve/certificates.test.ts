import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readLifetime } from './certificates.js';

const good = ['10s', '90s', '3599s', '5m', '59m', '1h', '1h30m', '12h', '23h59m59s', '24h', '1440m', '86400s'];
const bad = ['9s', '0s', '25h', '24h1s', '24h1m', '30h', '1441m', '86401s', '87600h', '99999h', '1d', '24', '', 'forever', '-1h'];

test('a certificate lives for ten seconds at least and a day at most, by the flag and by the schema of the chart', async () => {
  const { properties } = JSON.parse(await readFile('charts/weft/values.schema.json', 'utf8'));
  const pattern = new RegExp(properties.certificateLifetime.pattern);
  for (const text of good) {
    assert.ok(readLifetime(text) <= 86_400_000, text);
    assert.match(text, pattern);
  }
  for (const text of bad) {
    assert.throws(() => readLifetime(text), new RegExp(`--certificate-lifetime ${text}: write a duration from 10s to 24h; a certificate cannot be taken back`));
    assert.doesNotMatch(text, pattern);
  }
});
