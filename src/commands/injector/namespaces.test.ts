import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '../../kubernetes/api.js';
import { followNamespaces } from './namespaces.js';

test('whoever makes up namespaces has few of them looked up at a time, and is told so', async (t) => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  let asked = 0;
  const client: KubeClient = {
    server: 'https://scripted',
    watch: (_path, _query, _onEvent, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    request: async ({ query = {} }) => {
      if (!query['fieldSelector']) return { metadata: { resourceVersion: '1' }, items: [] };
      asked++;
      await gate;
      return { items: [{ metadata: { name: query['fieldSelector'].replace('metadata.name=', ''), labels: { a: 'b' } } }] };
    },
  };
  const namespaces = followNamespaces(client, () => undefined);
  t.after(namespaces.close);
  await namespaces.ready;
  const answers = Array.from({ length: 1_000 }, (_, index) =>
    namespaces.ask(`made-up-${index}`).then(
      () => 'found',
      (error: unknown) => String(error),
    ),
  );
  assert.match((await answers[999]) ?? '', /namespace made-up-999 cannot be read: too many are being asked for; try again/);
  assert.equal(asked, 8);
  release();
  assert.equal(await answers[0], 'found');
});
