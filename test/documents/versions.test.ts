/** Versions that stand in several files are the same everywhere. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { weftVersion } from '../../src/commands/version.js';
import { defaultSettings } from '../../src/inject/settings.js';
import { envoyVersion } from '../../src/proxy/binary.js';

test("Envoy's: of the types, of the Dockerfile and of the sidecars", async () => {
  const dockerfile = await readFile('Dockerfile', 'utf8');
  assert.ok(dockerfile.includes(`FROM docker.io/envoyproxy/envoy:v${envoyVersion} AS envoy`));
  assert.ok(dockerfile.includes(`.cache/envoy-${envoyVersion}/envoy`));
  const { repository, tag } = parse(await readFile('charts/weft/values.yaml', 'utf8')).proxy.image;
  assert.equal(tag, `v${envoyVersion}`);
  assert.equal(defaultSettings.proxyImage, `${repository}:${tag}`);
});

test("Weft's: of the package and of the chart", async () => {
  const { version, appVersion } = parse(await readFile('charts/weft/Chart.yaml', 'utf8'));
  assert.deepEqual([version, appVersion], [weftVersion(), weftVersion()]);
});
