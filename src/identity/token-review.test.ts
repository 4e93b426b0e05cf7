import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient, KubeRequest } from '../kubernetes/api.js';
import type { PaceLimits } from './pace.js';
import { createTokenAuthenticator } from './token-review.js';

/** Stands for the API server where a test has to choose what it says and when; test/apiserver/auth.test.ts asks the real one. */
function scripted(answer: (request: KubeRequest) => unknown) {
  const requests: KubeRequest[] = [];
  const client: KubeClient = {
    server: 'https://test',
    watch: () => Promise.reject(new Error('not watched')),
    request: async (request) => {
      requests.push(request);
      return answer(request);
    },
  };
  return { client, requests };
}

const extra = { 'authentication.kubernetes.io/pod-name': ['web-1'], 'authentication.kubernetes.io/pod-uid': ['u1'] };
const user = { username: 'system:serviceaccount:shop:web', extra };
const good = { authenticated: true, audiences: ['weft'], user };
const minute = 60_000;

function token(name: string, seconds: unknown): string {
  return `e30.${Buffer.from(JSON.stringify({ exp: seconds })).toString('base64url')}.${name}`;
}

const header = (name = 'a', seconds: unknown = 3600) => [`Bearer ${token(name, seconds)}`];

function authenticator(status: unknown, options: { readonly podUid?: () => string | undefined; readonly pace?: PaceLimits } = {}) {
  const time = { now: 0 };
  const state: { status: unknown } = { status };
  const { client, requests } = scripted(() => {
    if (state.status instanceof Error) throw state.status;
    return { status: state.status };
  });
  return { authenticate: createTokenAuthenticator({ client, audience: 'weft', clock: () => time.now, ...options }), requests, time, state };
}

test('a pod is what the API server says it is, until its token ends', async () => {
  const { authenticate, requests } = authenticator(good);
  const subject = { id: 'shop/web-1', namespace: 'shop', pod: 'web-1', uid: 'u1', serviceAccount: 'web', expiresAt: 3_600_000, verifiedAt: 0 };
  assert.deepEqual(await authenticate(header()), subject);
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: token('a', 3600), audiences: ['weft'] } };
  assert.deepEqual(requests, [{ method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews', body, timeoutMs: 10_000 }]);
});

test('what can be no good token is refused without asking', async () => {
  const { authenticate, requests, time } = authenticator(good);
  time.now = 1_000;
  const headers: readonly (readonly (string | Buffer)[])[] = [
    [],
    [''],
    ['Bearer '],
    ['Bearer opaque'],
    ['Basic dXNlcjpwYXNz'],
    [token('a', 3600)],
    [`Bearer e30.${'a'.repeat(10_000)}.a`],
    ['Bearer e30.e30.a'],
    ['Bearer e30.bm9ubw.a'],
    ['Bearer e30.bnVsbA.a'],
    [`${header()} `],
    [`Bearer ${token('a', 3600)}\n`],
    [Buffer.from(String(header()))],
    [...header(), ...header()],
    header('a', 'never'),
    header('a', 1),
  ];
  for (const values of headers) {
    const verdict = await authenticate(values);
    assert.ok('refused' in verdict && verdict.refused === 'UNAUTHENTICATED' && verdict.reason.length < 300, String(values));
  }
  assert.equal(requests.length, 0);
});

test('an answer that is not about a pod, or not about this audience, is no proof', async () => {
  const statuses: Readonly<Record<string, unknown>> = {
    'not authenticated': { ...good, authenticated: false, error: 'invalid bearer token' },
    'authenticated in words': { ...good, authenticated: 'true' },
    'another audience': { ...good, audiences: ['other'] },
    'no audience, from an API server that knows of none': { ...good, audiences: undefined },
    'a person': { ...good, user: { ...user, username: 'jane' } },
    'a person who is named like an account': { ...good, user: { ...user, username: 'x:system:serviceaccount:shop:web' } },
    'a token without a pod': { ...good, user: { username: user.username } },
    'a token without the uid': { ...good, user: { ...user, extra: { ...extra, 'authentication.kubernetes.io/pod-uid': [] } } },
    'two pods': { ...good, user: { ...user, extra: { ...extra, 'authentication.kubernetes.io/pod-name': ['a', 'b'] } } },
  };
  for (const [name, status] of Object.entries(statuses)) {
    const verdict = await authenticator(status).authenticate(header());
    assert.ok('refused' in verdict && verdict.refused === 'UNAUTHENTICATED', name);
  }
});

test('a good verdict is remembered for five minutes, never beyond the token, and a bad one for ten seconds', async () => {
  const { authenticate, requests, time, state } = authenticator(good);
  await authenticate(header());
  await authenticate(header('short', 60));
  time.now = 5 * minute - 1;
  assert.ok('pod' in (await authenticate(header())));
  const late = await authenticate(header('short', 60));
  assert.ok('refused' in late && /has expired/.test(late.reason));
  assert.equal(requests.length, 2);
  time.now = 5 * minute;
  state.status = { authenticated: false };
  assert.ok('refused' in (await authenticate(header())));
  state.status = good;
  time.now += 9_999;
  assert.ok('refused' in (await authenticate(header())));
  assert.equal(requests.length, 3);
  time.now += 1;
  assert.ok('pod' in (await authenticate(header())));
  assert.equal(requests.length, 4);
});

test('who asks anew is not told what is remembered, and a token that was taken back is then good for nothing', async () => {
  const { authenticate, requests, time, state } = authenticator(good);
  await authenticate(header());
  time.now = minute;
  const again = await authenticate(header(), 'Anew');
  assert.ok('pod' in again && again.verifiedAt === minute);
  assert.equal(requests.length, 2);
  state.status = { authenticated: false };
  assert.ok('pod' in (await authenticate(header())), 'a new stream may be opened by what is remembered; it is asked about again when that is five minutes old');
  assert.ok('refused' in (await authenticate(header(), 'Anew')));
  assert.ok('refused' in (await authenticate(header())));
  assert.equal(requests.length, 3);
});

test('a hundred streams with one token are one question', async () => {
  const { authenticate, requests } = authenticator(good);
  const verdicts = await Promise.all(Array.from({ length: 100 }, () => authenticate(header())));
  assert.ok(verdicts.every((verdict) => 'pod' in verdict));
  assert.equal(requests.length, 1);
});

test('while the API server is away, who is known goes on, and others are asked to come back; nothing of that is remembered', async () => {
  const { authenticate, state } = authenticator(good);
  await authenticate(header());
  state.status = new Error('connect ECONNREFUSED 10.0.0.1:443');
  assert.ok('pod' in (await authenticate(header())));
  const away = await authenticate(header('b'));
  assert.ok('refused' in away && away.refused === 'UNAVAILABLE');
  assert.match(away.reason, /API server cannot say now/);
  assert.doesNotMatch(away.reason, /10\.0\.0\.1/);
  assert.match(away.detail ?? '', /10\.0\.0\.1/);
  state.status = undefined;
  assert.ok('refused' in (await authenticate(header('b'))));
  state.status = good;
  assert.ok('pod' in (await authenticate(header('b'))));
});

test('only so many questions are outstanding, and only so many wait', async () => {
  let outstanding = 0;
  let most = 0;
  const pending: (() => void)[] = [];
  const { client, requests } = scripted(async () => {
    most = Math.max(most, ++outstanding);
    await new Promise<void>((resolve) => pending.push(resolve));
    outstanding--;
    return { status: good };
  });
  const authenticate = createTokenAuthenticator({ client, audience: 'weft', clock: () => 0, pace: { atOnce: 2, perSecond: 10_000, waiting: 3 } });
  const verdicts = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => authenticate(header(name)));
  const tooMany = await Promise.race(verdicts);
  assert.ok('refused' in tooMany && tooMany.refused === 'UNAVAILABLE');
  while (requests.length < 5 || pending.length > 0) {
    pending.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await Promise.all(verdicts)).filter((verdict) => 'pod' in verdict).length, 5);
  assert.equal(most, 2);
});

test('only so many questions begin in a second', async () => {
  const { client } = scripted(() => ({ status: good }));
  const authenticate = createTokenAuthenticator({ client, audience: 'weft', clock: () => 0, pace: { atOnce: 1, perSecond: 50, waiting: 10 } });
  const begin = performance.now();
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => authenticate(header(name))));
  assert.ok(performance.now() - begin >= 55, 'the fourth begins after three times 20 ms');
});

test('a pod that the watch does not know, or knows as another, comes back; then the API server is asked again', async () => {
  const known: { uid: string | undefined } = { uid: undefined };
  const { authenticate, requests, state } = authenticator(good, { podUid: () => known.uid });
  const early = await authenticate(header());
  assert.ok('refused' in early && early.refused === 'UNAVAILABLE' && /shop\/web-1 is not known here/.test(early.reason));
  known.uid = 'u1';
  assert.ok('pod' in (await authenticate(header())));
  assert.equal(requests.length, 2);
  known.uid = 'u2';
  const replaced = await authenticate(header());
  assert.ok('refused' in replaced && replaced.refused === 'UNAVAILABLE');
  state.status = { authenticated: false, error: 'pod has been deleted' };
  const gone = await authenticate(header());
  assert.ok('refused' in gone && gone.refused === 'UNAUTHENTICATED');
});
