/** Certificates change under a steady load, those of pods every ten seconds and the root end to end; and what the cable between two pods shows. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { verifyProblems } from '../support/openssl.js';
import type { ShownTls } from './apps/call.js';
import { call } from './harness/calls.js';
import { capture } from './harness/capture.js';
import { run } from './harness/command.js';
import { apply, field, podsOf, waitFor } from './harness/kubectl.js';
import { startLoadWorld } from './harness/load-world.js';
import { pod } from './harness/manifests.js';
import { settledVersion } from './harness/pcap.js';
import { deploymentReady, ensureInstalled, upgrade, weftNamespace } from './harness/release.js';
import { story } from './harness/story.js';

const namespace = 'weft-test-rotation';
const outsider = { namespace, pod: 'outsider' };
const mutualPort = 15_008;

/** How long certificates change for, at least. */
const seconds = Number(process.env['WEFT_ROTATION_SECONDS'] ?? 300);

const address = (name: string) => field(namespace, `pod/${name}`, '{.status.podIP}');
const rootsOf = (inNamespace: string) => field(inNamespace, 'configmap/weft-ca', String.raw`{.data.ca\.crt}`);

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
  await apply([pod(namespace, { name: 'outsider', args: ['idle'], isMeshed: false })]);
  await waitFor(namespace, 'pod/outsider', 'condition=Ready');
  const [web = ''] = await podsOf(namespace, 'app=web');

  await t.test('tcpdump between two pods shows TLS 1.3 only', async () => {
    const stop = await capture({ pod: await address(web), peer: await address('load') });
    await load.unharmed('the cable is listened to', async () => {
      for (let sent = 0; sent < 300; ) sent += (await load.count()).sent;
    });
    const segments = await stop();
    const versions = segments.flatMap((segment) => settledVersion(segment) ?? []);
    process.stdout.write(`# ${segments.length} segments, ${versions.length} handshakes\n`);
    assert.deepEqual([...new Set(versions)], [0x0304]);
    const elsewhere = segments.filter(({ from, to }) => from !== mutualPort && to !== mutualPort);
    assert.deepEqual(elsewhere, []);
    for (const word of ['HTTP/1.1', 'x-version', 'xxxxxxxx']) assert.ok(!segments.some(({ payload }) => payload.includes(word)), word);
  });

  await t.test('no request fails while certificates change every ten seconds and the root is changed end to end', async () => {
    const serials = new Set<string>();
    const before = await rootsOf(namespace);
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
    const [now, weft] = await Promise.all([namespace, weftNamespace].map(rootsOf));
    assert.notEqual(now, before);
    assert.equal(now, weft);
    const { protocol, certificate } = await shownBy(web);
    assert.equal(protocol, 'TLSv1.3');
    assert.equal(verifyProblems(certificate.toString(), now ?? ''), '');
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
