import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from './config.js';

test('without settings there are defaults, and an empty variable is no setting', () => {
  const defaults = { envoyBin: undefined, path: '', cache: '.cache', logLevel: 'info', color: true, kubeconfig: undefined, inCluster: undefined };
  assert.deepEqual(readConfig({}), defaults);
  assert.deepEqual(
    readConfig({ ENVOY_BIN: '', PATH: '', WEFT_CACHE: '', WEFT_LOG_LEVEL: '', NO_COLOR: '', KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '' }),
    defaults,
  );
});

test('each variable is read', () => {
  const env = { ENVOY_BIN: '/opt/envoy', PATH: '/bin', WEFT_CACHE: '/var/cache/weft', WEFT_LOG_LEVEL: 'debug', NO_COLOR: '1', KUBECONFIG: '/etc/kube' };
  const pod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
  assert.deepEqual(readConfig({ ...env, ...pod }), {
    envoyBin: '/opt/envoy',
    path: '/bin',
    cache: '/var/cache/weft',
    logLevel: 'debug',
    color: false,
    kubeconfig: '/etc/kube',
    inCluster: { host: '10.96.0.1', port: '443' },
  });
});

test('a log level that does not exist is refused by name', () => {
  assert.throws(() => readConfig({ WEFT_LOG_LEVEL: 'loud' }), /WEFT_LOG_LEVEL is "loud"; set it to one of trace, debug, info/);
});
