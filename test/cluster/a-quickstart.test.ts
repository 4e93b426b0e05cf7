/** What a newcomer does first: docs/quickstart.md and the pages that follow it, typed literally, on a cluster that has never seen Weft. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { HttpAnswer } from './apps/call.js';
import type { Seen } from './apps/http-app.js';
import { runBlocks, runnableBlocks } from './harness/document.js';
import { requestsTo } from './harness/envoy-stats.js';
import { apply, logs } from './harness/kubectl.js';
import { deployment, httpReady, pod, service } from './harness/manifests.js';
import { makeNamespace, removeNamespace } from './harness/namespace.js';
import { ensureInstalled, uninstall } from './harness/release.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

/** In the order in which they are typed; the last takes away what the first has made. */
const pages = ['quickstart', 'security', 'troubleshooting', 'upgrade', 'uninstall'];

story('the quickstart, and the pages that follow it, work as they are written', ['shop'], async (t) => {
  await uninstall();
  await removeNamespace('shop');
  t.after(() => removeNamespace('shop'));
  const texts = await Promise.all(pages.map((page) => readFile(`docs/${page}.md`, 'utf8')));
  for (const [index, text] of texts.entries()) assert.ok(runnableBlocks(text).length > 0, `docs/${pages[index]}.md has blocks with the info string \`sh run\``);
  const blocks = texts.flatMap(runnableBlocks);
  for (const { line, seconds, output } of await runBlocks(blocks)) process.stdout.write(`line ${line}, ${seconds.toFixed(1)} s\n${output}\n`);
});

const namespace = 'weft-test-first';

story('an application is in the mesh from its first request', [namespace], async (t) => {
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  const begin = performance.now();
  await apply([
    service(namespace, 'web', [{ name: 'http', port: 80, targetPort: 8080 }]),
    deployment(namespace, { name: 'web', args: ['http', '8080'], readiness: httpReady(8080) }),
    pod(namespace, { name: 'client', args: ['call', JSON.stringify({ http: { url: 'http://web/', insist: true } })], spec: { restartPolicy: 'Never' } }),
  ]);
  const answer: HttpAnswer = JSON.parse(await until('the first answer', () => logs(namespace, 'client')));
  process.stdout.write(`# from kubectl apply to the first meshed request: ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
  const { peer }: Seen = JSON.parse(answer.body);
  assert.equal(peer, '127.0.0.6', 'the app was reached by its own sidecar');
});

story('the first request is one of the mesh for its caller, too', [namespace], async (t) => {
  await ensureInstalled();
  await makeNamespace(t, namespace, true);
  await apply([
    service(namespace, 'web', [{ name: 'http', port: 80, targetPort: 8080 }]),
    deployment(namespace, { name: 'web', args: ['http', '8080'], isMeshed: false }),
    pod(namespace, { name: 'client', args: ['load', JSON.stringify([{ url: 'http://web/', perSecond: 10 }])] }),
  ]);
  await until('requests that its sidecar has sent', async () => (await requestsTo(namespace, 'client', 'web', 80)) > 10);
});
