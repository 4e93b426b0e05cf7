import assert from 'node:assert/strict';
import test from 'node:test';
import { toRedirect } from './to-redirect.js';

/** The redirect, the Service's port, and the port that must be written; undefined where the location is right without. */
const table = [
  [{}, 80, undefined],
  [{}, 9080, undefined],
  [{ hostname: 'a.b' }, 80, undefined],
  [{ hostname: 'a.b' }, 9080, 9080],
  [{ hostname: 'a.b', port: 80 }, 9080, undefined],
  [{ port: 8443 }, 80, 8443],
  [{ scheme: 'https' }, 80, undefined],
  [{ scheme: 'https' }, 9080, 443],
  [{ scheme: 'https', hostname: 'a.b' }, 9080, undefined],
  [{ scheme: 'https', port: 80 }, 9080, 80],
  [{ scheme: 'http', hostname: 'a.b', port: 8080 }, 80, 8080],
] as const;

for (const [redirect, port, expected] of table) {
  test(`${JSON.stringify(redirect)} on port ${port} writes ${expected ?? 'no port'}`, () =>
    assert.equal(toRedirect(redirect, {}, port).port_redirect, expected));
}
