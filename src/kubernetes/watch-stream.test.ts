import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, constantFrom, nat, property, record, string, uniqueArray } from 'fast-check';
import { KubeError, type WatchEvent } from './api.js';
import { createEventReader } from './watch-stream.js';

test('events come whole however the stream is cut, within lines and within characters', () => {
  const event = record(
    { type: constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'), object: record({ name: string({ unit: 'grapheme' }) }, { noNullPrototype: true }) },
    { noNullPrototype: true },
  );
  check(
    property(array(event), uniqueArray(nat(2000)), (events, cuts) => {
      const stream = Buffer.from(events.map((each) => `${JSON.stringify(each)}\n`).join(''));
      const edges = [0, ...cuts.filter((cut) => cut < stream.length).sort((a, b) => a - b), stream.length];
      const seen: WatchEvent[] = [];
      const read = createEventReader((each) => seen.push(each));
      for (const [index, start] of edges.slice(0, -1).entries()) read(stream.subarray(start, edges[index + 1]));
      assert.deepEqual(seen, events);
    }),
  );
});

test('an ERROR event is thrown as the refusal that it is', () => {
  const read = createEventReader(() => assert.fail('no event'));
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 3 (9)' };
  assert.throws(
    () => read(Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)),
    (error) => error instanceof KubeError && error.status === 410 && error.reason === 'Expired' && error.message === status.message,
  );
});

test('what is no event is refused, and so is a line without an end', () => {
  assert.throws(() => createEventReader(() => undefined)(Buffer.from('{"type":"NEWS"}\n')), /no event: {"type":"NEWS"}/);
  const read = createEventReader(() => undefined);
  const much = Buffer.alloc(8 * 1024 * 1024, 'a');
  read(much);
  read(much);
  assert.throws(() => read(much), /larger than 16777216 bytes/);
});
