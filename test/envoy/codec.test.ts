import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decode } from '../../src/envoy/decode.js';
import { encode } from '../../src/envoy/encode.js';
import { isRecord } from '../../src/envoy/encode-error.js';
import type { Bootstrap } from '../../src/envoy/types.js';
import { bootstrap } from '../../src/inject/bootstrap.js';
import { startEnvoy } from '../../src/proxy/run.js';
import { envoyBinary, temporaryFolder } from '../support/envoy.js';
import { freePorts } from '../support/port.js';

const name = 'envoy.config.bootstrap.v3.Bootstrap';

/** What Envoy reads is compared in these parts; it adds to the others (its version to the node, defaults to the admin interface). */
function compared({ static_resources, dynamic_resources, stats_config, layered_runtime, deferred_stat_options }: Bootstrap): Bootstrap {
  return { static_resources, dynamic_resources, stats_config, layered_runtime, deferred_stat_options };
}

/** The bootstrap in the answer to `/config_dump`; its fields are checked by the strict encoder. */
function fromDump(dump: string): Bootstrap {
  const { configs } = JSON.parse(dump);
  const found = configs.find((config: unknown) => isRecord(config) && String(config['@type']).endsWith('.BootstrapConfigDump'));
  return found.bootstrap;
}

test('Envoy reads in our bytes what we wrote, and we read what Envoy says of it', async (t) => {
  const folder = await temporaryFolder(t);
  const proxy = { namespace: 'shop', pod: 'web-1', serviceAccount: 'web', labels: { app: 'web' }, zone: 'z1', client: 'captured' as const };
  const [healthPort, adsPort] = await freePorts(2);
  const health = { address: '127.0.0.1', port: healthPort, drainKey: 'secret' };
  const controlPlane = { host: '127.0.0.1', port: adsPort ?? 0 };
  const written = bootstrap({ proxy, controlPlane, adminSocket: join(folder, 'admin.sock'), health });
  const file = join(folder, 'bootstrap.pb');
  await writeFile(file, encode(name, written));
  const envoy = await startEnvoy({ binary: await envoyBinary(), bootstrap: { admin: written.admin }, args: ['-c', file] });
  t.after(envoy.stop);
  const ended = envoy.exit.then(() => assert.fail('Envoy ended'));
  const read = fromDump(await Promise.race([untilAnswered(() => envoy.admin('/config_dump')), ended]));
  assert.equal(read.node?.id, 'shop/web-1');
  assert.deepEqual(read.node?.metadata, written.node?.metadata);
  assert.deepEqual(encode(name, compared(read)), encode(name, compared(written)));
  assert.deepEqual(encode(name, decode(name, encode(name, written))), encode(name, written));
});

/** The first answer of an admin interface that is about to open. */
async function untilAnswered(ask: () => Promise<string>): Promise<string> {
  for (;;) {
    const answer = await ask().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') throw error;
    });
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
