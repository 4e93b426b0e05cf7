/** A policy that has as many of everything as it may have, in about a megabyte: etcd takes objects of at most one and a half. */

const many = <T>(count: number, make: (index: number) => T): readonly T[] => Array.from({ length: count }, (_, index) => make(index));
const headers = (prefix: string) => many(16, (index) => ({ name: `${prefix}-${index}`, value: 'value' }));

const modifier = { set: headers('set'), add: headers('add'), remove: many(16, (index) => `remove-${index}`) };
const modifiers = [
  { type: 'RequestHeaderModifier', requestHeaderModifier: modifier },
  { type: 'ResponseHeaderModifier', responseHeaderModifier: modifier },
];
const mirror = { type: 'RequestMirror', requestMirror: { backendRef: { name: 'reviews', port: 80 }, fraction: { numerator: 1, denominator: 1_000_000 } } };
const rewrite = { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: `/${'a'.repeat(1023)}` } } };
const matchLabels = Object.fromEntries(many(16, (index) => [`label-${index}`, 'value']));

const match = {
  path: { type: 'PathPrefix', value: `/${'a'.repeat(1023)}` },
  headers: many(16, (index) => ({ type: 'RegularExpression', name: `h-${index}`, value: '[a-z]+' })),
  queryParams: many(16, (index) => ({ type: 'Exact', name: `q-${index}`, value: 'value' })),
  method: 'GET',
};

const rule = (index: number) => ({
  name: `rule-${index}`,
  matches: many(8, () => match),
  filters: [...modifiers, rewrite, ...many(13, () => mirror)],
  backendRefs: many(16, () => ({ name: 'reviews', port: 80, weight: 1, podSelector: { matchLabels }, filters: modifiers })),
  timeouts: { request: '2s', backendRequest: '1s' },
  retry: { codes: many(32, (code) => 500 + code), attempts: 16, backoff: '1m' },
});

/** What is in its `spec`. */
export function largePolicy(): object {
  return { targetRefs: many(16, (index) => ({ kind: 'Service', name: `reviews-${index}`, sectionName: 'http' })), rules: many(16, rule) };
}
