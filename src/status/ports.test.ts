import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service, ServicePort } from '../model/service.js';
import { portRows } from './ports.js';

function service(name: string, ports: readonly ServicePort[]): Service {
  return { key: `shop/${name}`, namespace: 'shop', name, clusterIPs: [], publishNotReadyAddresses: false, selector: {}, creationTimestamp: '', ports };
}

const port = (number: number, name: string): ServicePort => ({ name, port: number, targetPort: 1, protocol: 'HTTP', protocolReason: `port name ${name}` });

test('every port of every Service has a row with its reason, in the order of the Services and then of the numbers', () => {
  const rows = portRows([service('web', [port(90, 'http-admin'), port(80, 'http')]), service('empty', []), service('api', [port(81, 'ws')])]);
  assert.deepEqual(rows, [
    { service: 'shop/web', port: 80, name: 'http', protocol: 'HTTP', reason: 'port name http' },
    { service: 'shop/web', port: 90, name: 'http-admin', protocol: 'HTTP', reason: 'port name http-admin' },
    { service: 'shop/api', port: 81, name: 'ws', protocol: 'HTTP', reason: 'port name ws' },
  ]);
});
