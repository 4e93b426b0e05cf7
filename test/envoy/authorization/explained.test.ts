/** Which rule has decided, in answers and in metrics; access logs are compared in matrix.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authorization } from '../../../src/features/authorization/schema.js';
import { answer, startHttp } from '../../support/http.js';
import { eventually } from '../../support/mesh.js';
import { exchange, makeCredentials, open } from './callers.js';
import { type Site, startAuthorized, trustDomain } from './site.js';

const web = { namespace: 'shop', serviceAccount: 'web' };

function site(value: Authorization, protocol: Site['protocol']): Site {
  return { stanzas: [{ value, policy: { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' } }], isMtls: true, protocol };
}

const rules: NonNullable<Authorization['rules']> = [
  { name: 'readers', sources: [{ type: 'ServiceAccount', serviceAccount: { name: 'web' } }] },
  { name: 'no-admin', action: 'Deny', matches: [{ path: { value: '/admin' } }] },
  { name: 'later', action: 'Deny', mode: 'Shadow', matches: [{ path: { value: '/old' } }] },
];

test('metrics count calls and connections by the rule that has decided, and answers name it only where that is asked for', { timeout: 60_000 }, async (t) => {
  const [credentials, app] = [await makeCredentials(trustDomain, [web]), await startHttp(t, 'app', answer(200))];
  const sites = [site({ rules, responseHeader: 'Rule' }, 'HTTP'), site({ rules }, 'HTTP'), site({ rules: rules.slice(0, 1) }, 'TCP')];
  const { at, envoy } = await startAuthorized(t, sites, { credentials, app: app.port });
  const ask = async (index: number, path: string) => {
    const socket = await open({ identity: web, address: '127.0.0.1' }, at(index), credentials);
    const { headers } = await exchange(socket, { method: 'GET', path, headers: [['x-weft-authorization', 'forged']] });
    socket.destroy();
    return headers.get('x-weft-authorization');
  };
  assert.equal(await ask(0, '/'), 'shop/p/readers');
  assert.equal(await ask(0, '/admin'), 'shop/p/no-admin');
  for (const path of ['/', '/old', '/admin']) assert.equal(await ask(1, path), undefined);
  await ask(2, '/');
  const counted = (count: number, metric: string, labels: Readonly<Record<string, string>>) =>
    eventually(async () => {
      const lines = (await envoy.admin('/stats/prometheus')).split('\n').filter((line) => line.startsWith(`envoy_weft_${metric}{`));
      const matching = lines.filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)));
      return matching.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0) === count;
    });
  await counted(2, 'requests_total', { authorization: 'denied', authorization_rule: 'shop/p/no-admin', response_code_class: '4xx' });
  await counted(1, 'requests_total', { authorization: 'allowed', authorization_shadow_deny_rule: 'shop/p/later', response_code_class: '2xx' });
  await counted(1, 'tcp_connections_closed_total', { authorization: 'allowed', authorization_rule: 'shop/p/readers' });
});
