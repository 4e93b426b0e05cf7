/** A generated matrix of callers and rules, answered by the real Envoy as the documented semantics say. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { answer, askMany, startHttp } from '../../support/http.js';
import { portOf } from '../../support/port.js';
import { type Caller, exchange, makeCredentials, open, type Request } from './callers.js';
import { callerOf, createDice, identities, requestOf, siteOf } from './cases.js';
import { decide, type Verdict, wouldDecide } from './model.js';
import { type LogLine, type Site, serviceOf, startAuthorized, trustDomain } from './site.js';

/** A call, and the port that it is made to. */
interface Case {
  readonly site: Site;
  readonly caller: Caller;
  readonly request?: Request;
}

/** Connections to each port; each asks for so many things. */
const [callersPerSite, requestsPerCaller] = [4, 12];

test('2,880 HTTP requests are allowed, denied and explained as documented', { timeout: 240_000 }, async (t) => {
  const dice = createDice(5);
  const sites = dice.some(60, (index) => siteOf(dice, 'HTTP', index % 3 > 0));
  const [credentials, app] = [await makeCredentials(trustDomain, identities), await startHttp(t, 'app', answer(200))];
  const { at, readLog } = await startAuthorized(t, sites, { credentials, app: app.port });
  const calls = sites.flatMap((site, index) =>
    dice.some(callersPerSite, () => ({ site, index, caller: callerOf(dice, site.isMtls), requests: dice.some(requestsPerCaller, () => requestOf(dice)) })),
  );
  const cases = new Map<string, Case>();
  await askMany(calls.length, 8, async (number) => {
    const { site, index, caller, requests } = calls[number] ?? assert.fail();
    const socket = await open(caller, at(index), credentials);
    for (const request of requests) {
      const [id, one] = [`case-${cases.size}`, { site, caller, request }];
      cases.set(id, one);
      checkAnswer(one, await exchange(socket, { ...request, headers: [...request.headers, ['x-request-id', id]] }));
    }
    socket.destroy();
  });
  const allowed = [...cases.values()].filter(({ site, caller, request }) => decide(site.stanzas, caller, request).isAllowed).length;
  t.diagnostic(`${cases.size} requests, ${allowed} of them allowed`);
  assert.equal(cases.size, 2880);
  assert.ok(allowed > cases.size / 5 && allowed < (cases.size * 4) / 5, 'both answers are common');
  assert.equal(app.arrivals.length, allowed, 'the app gets what is allowed, and nothing else');
  checkLog(cases, await readLog(), ({ request_id }) => String(request_id));
});

function checkAnswer(one: Case, { status, headers }: { readonly status: number; readonly headers: ReadonlyMap<string, string> }): void {
  const verdict = decide(one.site.stanzas, one.caller, one.request);
  assert.equal(status, verdict.isAllowed ? 200 : 403, told(one, verdict));
  const isAskedFor = one.site.stanzas.some(({ mode, value }) => mode !== 'Shadow' && value.responseHeader === 'Rule');
  const shown = headers.get('x-weft-authorization');
  if (isAskedFor) assert.ok(isOneOf(shown, reasonsOf(verdict)), `${shown}: ${told(one, verdict)}`);
  else assert.equal(shown, undefined, told(one, verdict));
}

/** Every call has a line, which tells what was decided and by which rule, and what would be decided without Shadow mode. */
function checkLog(cases: ReadonlyMap<string, Case>, lines: readonly LogLine[], idOf: (line: LogLine) => string): void {
  const found = new Map(lines.map((line) => [idOf(line), line]));
  let shadows = 0;
  for (const [id, one] of cases) {
    const line = found.get(id) ?? assert.fail(`no line for ${id}`);
    const verdict = decide(one.site.stanzas, one.caller, one.request);
    const at = `${JSON.stringify(line)}: ${told(one, verdict)}`;
    assert.equal(line.authorization === 'denied', !verdict.isAllowed, at);
    assert.ok(isOneOf(line.authorization_rule, reasonsOf(verdict)), at);
    if (!one.site.stanzas.some(({ mode, value }) => mode === 'Shadow' || value.rules?.some((rule) => rule.mode === 'Shadow'))) continue;
    const would = wouldDecide(one.site.stanzas, one.caller, one.request);
    assert.ok(isOneOf(line.authorization_shadow_deny_rule, would.denying), at);
    if (would.denying.length > 0) continue;
    assert.equal(line.authorization_shadow === 'denied', !would.isAllowed, at);
    assert.ok(isOneOf(line.authorization_shadow_rule, would.allowing), at);
    shadows += would.isAllowed === verdict.isAllowed ? 0 : 1;
  }
  assert.ok(shadows > 0, 'Shadow mode makes a difference somewhere');
}

function reasonsOf({ denying, allowing }: Verdict): readonly string[] {
  return [...denying, ...allowing];
}

/** Nothing, where there is nothing to tell. */
function isOneOf(value: unknown, ids: readonly string[]): boolean {
  return ids.length === 0 ? value === undefined || value === null : ids.some((id) => id === value);
}

function told({ site, caller, request }: Case, verdict: Verdict): string {
  return JSON.stringify({ verdict, caller, request, isMtls: site.isMtls, stanzas: site.stanzas });
}

test('240 TCP connections are kept, or closed at their first byte, and explained as documented, and the app gets nothing from those denied', {
  timeout: 120_000,
}, async (t) => {
  const dice = createDice(7);
  const received: string[] = [];
  const app = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        received.push(data.toString());
        socket.write(data);
      });
  }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  t.after(async () => void app.close());
  const sites = dice.some(60, (index) => siteOf(dice, 'TCP', index % 3 > 0));
  const credentials = await makeCredentials(trustDomain, identities);
  const { at, readLog } = await startAuthorized(t, sites, { credentials, app: portOf(app) });
  const cases = new Map<string, Case>();
  await askMany(240, 8, async (number) => {
    const index = number % 60;
    const site = sites[index] ?? assert.fail();
    const one = { site, caller: callerOf(dice, site.isMtls) };
    const socket = await open(one.caller, at(index), credentials);
    // The system gives a port again to a connection to somewhere else.
    cases.set(`${serviceOf(index)} ${socket.localAddress}:${socket.localPort}`, one);
    const answered = new Promise<boolean>((resolve) => socket.once('data', () => resolve(true)).once('close', () => resolve(false)));
    socket.write(`<${number}>`);
    const verdict = decide(site.stanzas, one.caller, undefined);
    assert.equal(await answered, verdict.isAllowed, told(one, verdict));
    socket.destroy();
    assert.equal(received.join('').includes(`<${number}>`), verdict.isAllowed);
  });
  assert.equal(cases.size, 240);
  checkLog(cases, await readLog(), ({ destination, downstream }) => `${String(destination).split('.')[0]} ${downstream}`);
});
