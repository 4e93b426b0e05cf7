/** Policies and calls in great number, the same in every run. */
import type { Authorization, Match, Rule, Source } from '../../../src/features/authorization/schema.js';
import type { Caller, Identity, Request } from './callers.js';
import type { Site } from './site.js';

/** Everybody who has a certificate. */
export const identities: readonly Identity[] = [
  { namespace: 'shop', serviceAccount: 'web' },
  { namespace: 'shop', serviceAccount: 'web-2' },
  { namespace: 'shop-2', serviceAccount: 'web' },
  { namespace: 'ops', serviceAccount: 'admin' },
];

const sources: readonly Source[] = [
  { type: 'ServiceAccount', serviceAccount: { name: 'web' } },
  { type: 'ServiceAccount', serviceAccount: { namespace: 'ops', name: 'admin' } },
  { type: 'Namespace', namespace: 'shop' },
  { type: 'SPIFFE', spiffe: 'spiffe://cluster.local/ns/shop-2/sa/web' },
  { type: 'SPIFFE', spiffe: 'spiffe://other.example/ns/shop/sa/web' },
  { type: 'CIDR', cidr: '127.0.0.0/30' },
  { type: 'CIDR', cidr: '127.0.9.9/32' },
];

const paths = ['/', '/shop', '/shop/', '/shop/cart', '/admin', '/a%20b'];
const methods = ['GET', 'POST', 'DELETE'] as const;
const headers = [
  { name: 'X-Role', value: 'admin' },
  { name: 'x-team', value: 'a.b' },
];

const sentPaths = [
  ...paths,
  '/shop?x=/admin',
  '/shopping',
  '/SHOP',
  '/Admin/',
  '/shop/../admin',
  '//admin',
  '/shop//cart',
  '/shop/..;/admin',
  '/shop/..;a=b/%2e%2e;/admin',
  '/shop;a/cart',
  '/admin.',
  '/Shop%20/cart',
  '/shop/.../cart',
  '/shop%2fcart',
  '/%61dmin',
  '/other',
];
const sentHeaders: readonly Request['headers'][] = [
  [],
  [],
  [['x-role', 'admin']],
  [['X-ROLE', 'Admin']],
  [
    ['x-role', 'user'],
    ['x-role', 'admin'],
  ],
  [['x-role', 'user, admin']],
  [
    ['x-team', 'a.b'],
    ['x-role', 'admin'],
  ],
  [['x-team', 'axb']],
  [['x-http-method-override', 'DELETE']],
  [['x-original-url', '/admin']],
  [['x-forwarded-for', '127.0.9.9']],
];
const addresses = ['127.0.0.1', '127.0.0.2', '127.0.9.9', '127.0.9.8'];

/** A sequence of numbers that is the same for the same seed (a linear congruential generator). */
export function createDice(seed: number) {
  let state = seed;
  const roll = (sides: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
  const pick = <T>(items: readonly [T, ...T[]] | readonly T[]): T => {
    const item = items[roll(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  return { roll, pick, some: <T>(count: number, make: (index: number) => T): readonly T[] => Array.from({ length: count }, (_, index) => make(index)) };
}

type Dice = ReturnType<typeof createDice>;

/** A port with one to three policies. */
export function siteOf(dice: Dice, protocol: Site['protocol'], isMtls: boolean): Site {
  const stanzas = dice.some(1 + dice.roll(3), (index) => ({
    value: policyOf(dice),
    policy: { kind: 'TrafficPolicy', namespace: 'shop', name: `p${index}` },
    ...(dice.roll(6) === 0 ? { mode: 'Shadow' as const } : {}),
  }));
  return { stanzas, isMtls, protocol };
}

function policyOf(dice: Dice): Authorization {
  const rules = [...dice.some(dice.roll(5), (index) => ruleOf(dice, `r${index}`))];
  const defaultAction = dice.pick([undefined, undefined, 'Allow', 'Deny'].map((action) => ({ action }))).action;
  const responseHeader = dice.roll(3) > 0 ? ('Rule' as const) : ('None' as const);
  return { rules, responseHeader, ...(defaultAction === 'Allow' || defaultAction === 'Deny' ? { defaultAction } : {}) };
}

function ruleOf(dice: Dice, name: string): Rule {
  return {
    name,
    ...(dice.roll(5) < 2 ? { action: 'Deny' as const } : {}),
    ...(dice.roll(6) === 0 ? { mode: 'Shadow' as const } : {}),
    ...(dice.roll(4) > 0 ? { sources: [...dice.some(1 + dice.roll(2), () => dice.pick(sources))] } : {}),
    ...(dice.roll(4) > 0 ? { matches: [...dice.some(1 + dice.roll(2), () => matchOf(dice))] } : {}),
  };
}

function matchOf(dice: Dice): Match {
  const type = dice.pick(['Exact', 'PathPrefix'] as const);
  return {
    ...(dice.roll(3) === 0 ? { method: dice.pick(methods) } : {}),
    ...(dice.roll(3) > 0 ? { path: { type, value: dice.pick(paths) } } : {}),
    ...(dice.roll(3) === 0 ? { headers: [dice.pick(headers)] } : {}),
    ...(dice.roll(4) === 0 ? { port: dice.pick([8080, 8080, 9090]) } : {}),
  };
}

/** Somebody who calls. */
export function callerOf(dice: Dice, isMtls: boolean): Caller {
  return { address: dice.pick(addresses), ...(isMtls ? { identity: dice.pick(identities) } : {}) };
}

/** What is called. */
export function requestOf(dice: Dice): Request {
  return { method: dice.pick(methods), path: dice.pick(sentPaths), headers: dice.pick(sentHeaders) };
}
