/** What keeps connections alive, and what ends them: seen from a bare HTTP/2 client. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { startTestServer } from '../support/xds-server.js';

test('a silent connection is pinged', { timeout: 20_000 }, async (t) => {
  const server = await startTestServer({ serveLimits: { keepaliveMs: 50 } });
  t.after(server.close);
  const session = connect(`http://localhost:${server.port}`);
  t.after(async () => session.destroy());
  await once(session, 'ping');
});

test('an old connection is asked to go, so that clients spread over replicas', { timeout: 20_000 }, async (t) => {
  const server = await startTestServer({ serveLimits: { connectionAgeMs: 50 } });
  t.after(server.close);
  const session = connect(`http://localhost:${server.port}`);
  t.after(async () => session.destroy());
  await once(session, 'goaway');
});
