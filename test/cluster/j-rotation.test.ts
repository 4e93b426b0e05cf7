/** Certificates change under a steady load, those of pods every ten seconds and the root end to end; and what the cable between two pods shows. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { verifyProblems } from '../support/openssl.js';
import type { ShownTls } from './apps/call.js';
import { call, seen } from './harness/calls.js';
import { capture } from './harness/capture.js';
import { run } from './harness/command.js';
import { apply, field, podsOf, waitFor } from './harness/kubectl.js';
import { startLoadWorld } from './harness/load-world.js';
import { pod } from './harness/manifests.js';
import { settledVersion } from './harness/pcap.js';
import { deploymentReady, ensureInstalled, upgrade } from './harness/release.js';
import { story } from './harness/story.js';
import { until } from './harness/until.js';

const namespace = 'weft-test-rotation';
const [outsider, shop] = [
  { namespace, pod: 'outsider' },
  { namespace, pod: 'shop' },
];
const mutualPort = 15_008;

/** How long certificates change for, at least. */
const seconds = Number(process.env['WEFT_ROTATION_SECONDS'] ?? 300);

const address = (name: string) => field(namespace, `pod/${name}`, '{.status.podIP}');
const roots = () => field(namespace, 'configmap/weft-ca', String.raw`{.data.ca\.crt}`);

/** What the sidecar of a pod shows to somebody without a certificate. */
async function shownBy(name: string): Promise<{ readonly protocol: string; readonly certificate: X509Certificate }> {
  const shown = await call<ShownTls>(outsider, { tls: `${await address(name)}:${mutualPort}`, serverName: 'p8080.weft' });
  return { protocol: shown.protocol, certificate: new X509Certificate(shown.certificate) };
}

story('certificates and the root change, and nobody notices', [namespace], async (t) => {
  await ensureInstalled();
  t.after(() => upgrade([]));
  await upgrade(['certificateLifetime=20s']);
  await deploymentReady('weft-controller', 2);
  const load = await startLoadWorld(t, namespace);
  await apply([pod(namespace, { name: 'outsider', args: ['idle'], isMeshed: false }), pod(namespace, { name: 'shop', args: ['idle'] })]);
  await Promise.all(['outsider', 'shop'].map((name) => waitFor(namespace, `pod/${name}`, 'condition=Ready')));
  const [web = ''] = await podsOf(namespace, 'app=web');

  await t.test('tcpdump between two pods shows TLS 1.3 only, from the first request', async () => {
    const stop = await capture({ pod: await address(web), peer: await address('shop') });
    await seen(shop, `http://${await address(web)}:8080/the-password`);
    for (let count = 0; count < 20; count++) await seen(shop, 'http://web/the-password', { bodyLength: 1000 });
    const segments = await stop();
    const versions = segments.flatMap((segment) => settledVersion(segment) ?? []);
    process.stdout.write(`# between two pods: ${segments.length} segments, ${versions.length} handshakes, all of TLS 1.3\n`);
    assert.deepEqual([...new Set(versions)], [0x0304]);
    const elsewhere = segments.filter(({ from, to }) => from !== mutualPort && to !== mutualPort);
    assert.deepEqual(elsewhere, []);
    for (const word of ['HTTP/1.1', 'the-password', 'xxxxxxxx']) assert.ok(!segments.some(({ payload }) => payload.includes(word)), word);
  });

  await t.test('no request fails while certificates change every ten seconds and the root is changed end to end', async () => {
    const serials = new Set<string>();
    const before = await roots();
    const begin = performance.now();
    await load.unharmed('certificates and the root changed', async () => {
      const rotation = rotate();
      const done = rotation.then(
        () => true,
        () => true,
      );
      for (let isDone = false; !isDone || performance.now() - begin < seconds * 1000; isDone ||= await Promise.race([done, false])) {
        serials.add((await shownBy(web)).certificate.serialNumber);
        await load.count();
      }
      const steps = await rotation;
      process.stdout.write(`# ${steps.join(', ')}; ${serials.size} certificates of one pod\n`);
      assert.deepEqual(steps, ['Begin', 'Sign', 'Drop', 'Done']);
    });
    assert.ok(serials.size > seconds / 20, `${serials.size} certificates`);
    const now = await until('pods are told of the new root alone', async () => {
      const bundle = await roots();
      return bundle.split('BEGIN').length === 2 && bundle;
    });
    const { protocol, certificate } = await shownBy(web);
    assert.equal(protocol, 'TLSv1.3');
    assert.equal(verifyProblems(certificate.toString(), now), '');
    assert.notEqual(verifyProblems(certificate.toString(), before), '', 'the old root proves nothing any more');
  });
});

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** `weft ca rotate`: the steps it went. */
async function rotate(): Promise<readonly string[]> {
  const text = await run(process.execPath, [main, 'ca', 'rotate', '-o', 'json', '--timeout', '15m'], { timeoutMs: 1_000_000 });
  const steps = text
    .trim()
    .split('\n')
    .map((line): string => JSON.parse(line).step);
  return steps.filter((step) => step !== 'Wait');
}
