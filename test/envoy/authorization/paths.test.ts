/**
 * Tricks with paths, methods and headers by which authorization has been got round elsewhere (Envoy CVE-2019-9901, CVE-2021-29492, CVE-2021-32777,
 * CVE-2021-32779, CVE-2026-26308; Istio CVE-2021-31920, CVE-2021-39156; Consul CVE-2024-10005, CVE-2024-10006; Tomcat CVE-2020-1938's `..;`; IIS and
 * Spring matching). Whatever reaches the app must mean what the rules say, in every way in which servers read it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askMany, startHttp } from '../../support/http.js';
import { type Answer, exchange, exchangeHttp2, makeCredentials, open, type Request } from './callers.js';
import { startAuthorized, trustDomain } from './site.js';

const web = { namespace: 'shop', serviceAccount: 'web' };
const policy = { kind: 'TrafficPolicy', namespace: 'shop', name: 'p' };

/** Ways to write a path that some server takes for /admin/x, or for one outside /public. */
const tricks: readonly string[] = [
  ...['/admin', '/admin/', '/admin/x', '/ADMIN/x', '/Admin', '/aDmIn/'],
  ...['//admin/x', '///admin', '/./admin/x', '/x/../admin/x', '/public/../admin', '/public//../admin', '/public/./../admin/x', '/../admin'],
  ...['/%61dmin/x', '/%41DMIN', '/adm%69n', '/%2561dmin', '/%25%36%31dmin', '/admin%20', '/admin%00', '/admin%00.html', '/admin%0a', '/admin%09'],
  ...['/%2e/admin', '/public/%2e%2e/admin', '/public/%2E%2E/admin', '/public/.%2e/admin', '/public/%252e%252e/admin', '/public/%252e%252e%252fadmin'],
  ...[
    '/%2fadmin',
    '/%2Fadmin/x',
    '/public%2f..%2fadmin',
    '/public/..%2fadmin',
    '/public/%2e%2e%2fadmin',
    '/public%2f%2e%2e%2fadmin',
    '/admin%2fx',
    '/admin%2Fx',
  ],
  ...['\\admin', '/\\admin', '/public\\..\\admin', '/public/..\\admin', '/public/..%5cadmin', '/public%5c..%5cadmin', '/admin\\x', '/admin%5cx'],
  ...[
    '/admin;',
    '/admin;a=b',
    '/admin;a=b/x',
    '/;/admin',
    '/;a/admin',
    '/public;/../admin',
    '/public/..;/admin',
    '/public/..;a=b/admin/x',
    '/public/.;/../admin',
  ],
  ...['/admin%3b', '/admin%3ba=b/x', '/public/..%3b/admin', '/public/%2e%2e;/admin', '/public/..%253b/admin'],
  ...[
    '/%c0%afadmin',
    '/public/..%c0%afadmin',
    '/public/%c0%ae%c0%ae/admin',
    '/public/..%e0%80%afadmin',
    '/public/..%f0%80%80%afadmin',
    '/public/..%c1%9cadmin',
  ],
  ...['/admin?x', '/admin/?x=/public', '/public?/../admin', '/admin%3fx', '/admin%3f/../public', '/public/..?/admin'],
  ...['/admin#', '/admin#/public', '/public#/../admin', '/public/%23/../../admin', '/public/x#/admin'],
  ...['http://reviews/admin', 'http://reviews/public/../admin', 'http://reviews//admin', 'http://public@reviews/admin', 'https://reviews/admin'],
  ...['/%zzadmin', '/admin%', '/admin%4', '/%u0061dmin', '/public/%u002e%u002e/admin', '/public/..%u2215admin', '/public/../%61dmin', '/public/...//admin'],
  ...[
    '/public/../../admin',
    '/public/a/../../admin',
    '/public/a/..%2f../admin',
    '/public/%2e%2e%5c/admin',
    '/publicadmin',
    '/public%2fx',
    '/publi%63/../admin',
  ],
  ...['*', 'admin', '/admin/..;/admin', '/admin/.', '/admin/%2e', '/admin/../admin', '/admin//', '/admin%2f', '/ admin', '/admin\tx'],
  ...[
    '/admin.',
    '/admin./x',
    '/admin..',
    '/admin.%20.',
    '/ADMIN%20/x',
    '/public/.../admin',
    '/public/..%20/admin',
    '/public/%20../admin',
    '/public/..%09/admin',
  ],
  ...['/public/..%00/admin', '/public/..%0d%0a/admin', '/public/\u00e9/../admin', '/public/..;', '/public/%2E%2E;a=b/admin', '/.;/admin', '/admin/%2e%2e;/'],
];

/** Paths that must get through. */
const plain: readonly string[] = [
  '/public',
  '/public/',
  '/public/a',
  '/public//a',
  '/public/a%20b',
  '/public/caf%C3%A9',
  '/public/a.b/..c/d...',
  '/public/~a/@b:c,d',
  '/public?next=/admin;x',
];

test('nothing reaches the app that some server takes for a path that is denied, or that is not allowed', { timeout: 120_000 }, async (t) => {
  const { ask } = await startBoth(t);
  const ways = (['open', 'closed'] as const).flatMap((kind) => (['http/1.1', 'h2'] as const).map((protocol) => ({ kind, protocol })));
  const cases = tricks.flatMap((path) => ways.map((way) => ({ ...way, path })));
  let arrived = 0;
  await askMany(cases.length, 8, async (number) => {
    const { kind, protocol, path } = cases[number] ?? assert.fail();
    const url = arrivedAs(await ask(kind, { method: 'GET', path, headers: [] }, protocol));
    if (url === undefined) return;
    arrived++;
    const readings = readingsOf(url);
    const isFine = kind === 'open' ? !readings.some((each) => isBelow(each.toLowerCase(), '/admin')) : readings.every((each) => isBelow(each, '/public'));
    assert.ok(isFine, `${kind} by ${protocol}: ${path} arrived as ${url}, which may be ${readings.join(' or ')}`);
  });
  t.diagnostic(`${tricks.length} paths on two ports by HTTP/1.1 and HTTP/2; ${arrived} calls arrived, all as the rules saw them`);
  for (const path of plain) assert.ok(arrivedAs(await ask('closed', { method: 'GET', path, headers: [] })), path);
  for (const path of ['/x/../public//a', '/%70ublic/./a', '/..;a=b/public/%61', '/\\public\\a', 'http://reviews/public/a'])
    assert.equal(arrivedAs(await ask('closed', { method: 'GET', path, headers: [] })), '/public/a', path);
  assert.ok(arrivedAs(await ask('open', { method: 'GET', path: '/other', headers: [] }, 'h2')));
});

test('a gRPC call that is denied gets PERMISSION_DENIED', { timeout: 60_000 }, async (t) => {
  const { ask } = await startBoth(t);
  const { status, headers } = await ask('closed', { method: 'POST', path: '/shop.Reviews/List', headers: [['content-type', 'application/grpc']] }, 'h2');
  assert.deepEqual([status, headers.get('grpc-status')], [200, '7']);
});

test('neither do methods and headers in disguise', { timeout: 60_000 }, async (t) => {
  const { ask } = await startBoth(t);
  const status = async (kind: 'open' | 'closed', request: Partial<Request>) =>
    (await ask(kind, { method: 'GET', path: '/public', headers: [], ...request })).status;
  assert.equal(await status('open', { method: 'DELETE' }), 403);
  assert.notEqual(await status('open', { method: 'delete' }), 200);
  for (const name of ['X-HTTP-Method-Override', 'x-http-method', 'x-method-override'])
    assert.equal(await status('open', { method: 'POST', headers: [[name, 'DELETE']] }), 403);
  for (const name of ['X-Original-URL', 'x-rewrite-url']) {
    for (const kind of ['open', 'closed'] as const) assert.equal(await status(kind, { headers: [[name, '/admin']] }), 403);
  }
  assert.equal(await status('open', { headers: [['x-role', 'guest']] }), 403);
  assert.equal(await status('open', { headers: [['x-role', 'a, guest ,b']] }), 403);
  assert.equal(
    await status('open', {
      headers: [
        ['x-role', 'a'],
        ['X-Role', 'guest'],
      ],
    }),
    403,
  );
  assert.equal(await status('open', { headers: [['x_role', 'guest']] }), 400);
  assert.equal(await status('open', { headers: [['x-role', 'guests']] }), 200);
  const staff = { path: '/staff', headers: [['x-role', 'staff']] } as const;
  assert.equal(await status('closed', staff), 200);
  assert.equal(
    await status('closed', {
      ...staff,
      headers: [
        ['x-role', 'staff'],
        ['x-role', 'guest'],
      ],
    }),
    403,
  );
  assert.equal(
    await status('closed', {
      ...staff,
      headers: [
        ['x-role', 'guest'],
        ['x-role', 'staff'],
      ],
    }),
    403,
  );
  assert.equal(await status('closed', { ...staff, headers: [['x-role', 'staff,guest']] }), 403);
  assert.equal(await status('closed', { ...staff, headers: [['x-role', 'Staff']] }), 403);
});

/** `open`: everything but /admin, DELETE and guests. `closed`: nothing but /public, and staff. */
async function startBoth(t: Parameters<typeof startAuthorized>[0]) {
  const credentials = await makeCredentials(trustDomain, [web]);
  const app = await startHttp(t, 'app', (response, { url }) => response.writeHead(200, { 'content-length': url.length }).end(url));
  const denied = [{ path: { value: '/admin' } }, { method: 'DELETE' as const }, { headers: [{ name: 'x-role', value: 'guest' }] }];
  const open_ = { rules: [{ name: 'd', action: 'Deny' as const, matches: denied }] };
  const closed = { rules: [{ name: 'a', matches: [{ path: { value: '/public' } }, { headers: [{ name: 'x-role', value: 'staff' }] }] }] };
  const sites = [open_, closed].map((value) => ({ stanzas: [{ value, policy }], isMtls: true, protocol: 'HTTP' as const }));
  const { at } = await startAuthorized(t, sites, { credentials, app: app.port });
  const ask = async (kind: 'open' | 'closed', request: Request, protocol: 'http/1.1' | 'h2' = 'http/1.1'): Promise<Answer> => {
    const [caller, target] = [{ identity: web, address: '127.0.0.1' }, at(kind === 'open' ? 0 : 1)];
    if (protocol === 'h2')
      return exchangeHttp2(caller, target, credentials, { ':method': request.method, ':path': request.path, ...Object.fromEntries(request.headers) });
    const socket = await open(caller, target, credentials);
    const answer = await exchange(socket, request);
    socket.destroy();
    return answer;
  };
  return { ask };
}

function arrivedAs({ status, body }: Answer): string | undefined {
  return status === 200 ? body : undefined;
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** What a path is for servers that cut off parameters, decode once or twice, before or after, mind backslashes, stop at a NUL, or cut off dots and spaces. */
function readingsOf(url: string): readonly string[] {
  const [path = ''] = url.split('?');
  const cut = (text: string) => text.replace(/;[^/]*/g, '');
  const stages = [path, cut(path), decode(path), cut(decode(path)), decode(cut(path)), decode(decode(path)), cut(decode(decode(path)))];
  const all = stages.flatMap((text) => [text, text.replaceAll('\\', '/'), text.split('\0')[0] ?? '', text.split(/[?#]/)[0] ?? '', trimmed(text)]);
  return [...new Set(all.map(resolve))];
}

/** Dots alone go up as far as two do. */
function trimmed(path: string): string {
  return path
    .split('/')
    .map((segment) => (/^[.\s]*\.\.[.\s]*$/.test(segment) ? '..' : segment.replace(/[.\s]+$/, '')))
    .join('/');
}

/** Overlong forms are taken for what they stand for, as some servers did. */
function decode(text: string): string {
  const short = text
    .replace(/%c0%af|%e0%80%af|%f0%80%80%af|%u2215/gi, '/')
    .replace(/%c0%ae/gi, '.')
    .replace(/%c1%9c/gi, '\\');
  return short.replace(/%u00([0-9a-f]{2})|%([0-9a-f]{2})/gi, (_, wide: string | undefined, narrow: string) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
  );
}

function resolve(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
