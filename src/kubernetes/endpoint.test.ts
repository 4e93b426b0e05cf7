import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepForAWhile } from './endpoint.js';

test('credentials are read once for all who want them, again after half a minute, and again after a failure', async () => {
  let time = 0;
  let reads = 0;
  let isBroken = false;
  const read = async () => {
    reads++;
    if (isBroken) throw new Error('the file is half written');
    return { headers: { authorization: `Bearer ${reads}` }, tls: {} };
  };
  const credentials = keepForAWhile(read, () => time);
  const [first, second] = await Promise.all([credentials(), credentials()]);
  assert.equal(first, second);
  time = 29_999;
  assert.equal((await credentials()).headers['authorization'], 'Bearer 1');
  time = 30_000;
  isBroken = true;
  await assert.rejects(credentials(), /half written/);
  isBroken = false;
  assert.equal((await credentials()).headers['authorization'], 'Bearer 3');
});
