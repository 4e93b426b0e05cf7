import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLine } from './log.js';

test('a line for people has the time, the level, the message and the fields', () => {
  const line = JSON.stringify({ level: 40, time: '2026-01-02T12:46:59.458Z', proxy: 'shop/web-1', resource: { type: 'Cluster' }, msg: 'rejected' });
  assert.equal(formatLine(line), '12:46:59 WARN  rejected  proxy=shop/web-1  resource={"type":"Cluster"}\n');
});
