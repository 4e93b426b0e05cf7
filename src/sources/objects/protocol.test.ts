import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeclaredPort, detectProtocol } from './protocol.js';

const port = 9999;
const cases: readonly (readonly [DeclaredPort, string, string])[] = [
  [{ port, appProtocol: 'http' }, 'HTTP', 'appProtocol http'],
  [{ port, appProtocol: 'HTTP' }, 'HTTP', 'appProtocol HTTP'],
  [{ port, appProtocol: 'https' }, 'TCP', 'appProtocol https'],
  [{ port, appProtocol: 'kubernetes.io/h2c' }, 'HTTP2', 'appProtocol kubernetes.io/h2c'],
  [{ port, appProtocol: 'kubernetes.io/ws' }, 'HTTP', 'appProtocol kubernetes.io/ws'],
  [{ port, appProtocol: 'kubernetes.io/wss' }, 'TCP', 'appProtocol kubernetes.io/wss'],
  [{ port, appProtocol: 'grpc' }, 'GRPC', 'appProtocol grpc'],
  [{ port, appProtocol: 'http2' }, 'HTTP2', 'appProtocol http2'],
  [{ port, appProtocol: 'tcp' }, 'TCP', 'appProtocol tcp'],
  [{ port: 80, appProtocol: 'example.com/own', name: 'http' }, 'TCP', 'appProtocol example.com/own, which is unknown'],
  [{ port, appProtocol: 'tcp', name: 'http' }, 'TCP', 'appProtocol tcp'],
  [{ port, name: 'http' }, 'HTTP', 'port name http'],
  [{ port, name: 'http-web' }, 'HTTP', 'port name http-web'],
  [{ port, name: 'http2-web' }, 'HTTP2', 'port name http2-web'],
  [{ port, name: 'h2c' }, 'HTTP2', 'port name h2c'],
  [{ port, name: 'grpc-api' }, 'GRPC', 'port name grpc-api'],
  [{ port, name: 'grpc-web' }, 'GRPC', 'port name grpc-web'],
  [{ port: 80, name: 'https-web' }, 'TCP', 'port name https-web'],
  [{ port: 80, name: 'mysql' }, 'TCP', 'port name mysql'],
  [{ port: 8080, name: 'tcp-admin' }, 'TCP', 'port name tcp-admin'],
  [{ port, name: 'httpx' }, 'TCP', 'nothing said'],
  [{ port, name: 'web-http' }, 'TCP', 'nothing said'],
  [{ port: 80, name: 'web' }, 'HTTP', 'port number 80'],
  [{ port: 8080 }, 'HTTP', 'port number 8080'],
  [{ port, name: 'ws' }, 'HTTP', 'port name ws'],
  [{ port: 8080, name: 'smtp' }, 'TCP', 'port name smtp'],
  [{ port: 8080, name: 'redis-cache' }, 'TCP', 'port name redis-cache'],
  [{ port: 3306 }, 'TCP', 'port number 3306, MySQL'],
  [{ port: 5432, name: 'db' }, 'TCP', 'port number 5432, PostgreSQL'],
  [{ port: 6379 }, 'TCP', 'port number 6379, Redis'],
  [{ port: 27017 }, 'TCP', 'port number 27017, MongoDB'],
  [{ port: 25 }, 'TCP', 'port number 25, mail'],
  [{ port: 443 }, 'TCP', 'port number 443, TLS'],
  [{ port: 3306, appProtocol: 'http' }, 'HTTP', 'appProtocol http'],
  [{ port }, 'TCP', 'nothing said'],
];

for (const [declared, protocol, protocolReason] of cases) {
  test(`${JSON.stringify(declared)} is ${protocol}`, () => assert.deepEqual(detectProtocol(declared), { protocol, protocolReason }));
}
