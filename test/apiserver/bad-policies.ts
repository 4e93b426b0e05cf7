/** Bad policies, each with one mistake: who refuses it, under which field, and with which words. */

/** A bad policy. */
export interface BadPolicy {
  /** What is in `spec` besides `targetRefs`, or in place of them. */
  readonly spec: object;
  /** The field that the refusal names. */
  readonly field: string;
  /** What it says to do. */
  readonly remedy: RegExp;
  /** `schema`: the API server by the schema, in words of its own. `rule`: the API server by one of our rules. `webhook`: nothing but the webhook sees it. */
  readonly by: 'schema' | 'rule' | 'webhook';
}

const backend = { name: 'reviews', port: 80 };
const mirror = (amount: object) => ({ filters: [{ type: 'RequestMirror', requestMirror: { backendRef: backend, ...amount } }] });
const rewrite = (path: object) => ({ filters: [{ type: 'URLRewrite', urlRewrite: { path } }] });
const request = (requestHeaderModifier: object) => ({ type: 'RequestHeaderModifier', requestHeaderModifier });
const redirect = { type: 'RequestRedirect', requestRedirect: { scheme: 'https' } };
const rules = (...list: readonly object[]) => ({ rules: list });
const path = (value: string, type = 'Exact') => rules({ matches: [{ path: { type, value } }] });
const target = (ref: object) => ({ targetRefs: [{ kind: 'Service', name: 'reviews' }, ref] });
const load = (loadBalancing: object) => ({ loadBalancing });
const authorize = (rule: object) => ({ authorization: { rules: [{ name: 'a', ...rule }] } });
const limited = (rule: object) => ({ rateLimit: { type: 'Local', local: { rules: [{ name: 'a', limit: { requests: 1 }, ...rule }] } } });
const hash = (consistentHash: object) => load({ type: 'ConsistentHash', consistentHash });

const bySchema: readonly Omit<BadPolicy, 'by'>[] = [
  { spec: { timeout: {} }, field: 'spec.timeout', remedy: /unknown field/ },
  { spec: { mode: 'Dry' }, field: 'spec.mode', remedy: /"Enforce", "Shadow"/ },
  { spec: { targetRefs: [] }, field: 'spec.targetRefs', remedy: /at least 1/ },
  { spec: target({ kind: 'Deployment', name: 'a' }), field: 'spec.targetRefs[1].kind', remedy: /"Service", "Namespace"/ },
  { spec: target({ kind: 'Service', name: 'A_1' }), field: 'spec.targetRefs[1].name', remedy: /should match/ },
  { spec: { retry: { attempts: 17 } }, field: 'spec.retry.attempts', remedy: /less than or equal to 16/ },
  { spec: { retry: { attempts: '2' } }, field: 'spec.retry.attempts', remedy: /must be of type integer/ },
  { spec: { retry: { codes: [200] } }, field: 'spec.retry.codes[0]', remedy: /greater than or equal to 400/ },
  { spec: { retry: { codes: [503, 503] } }, field: 'spec.retry.codes[1]', remedy: /Duplicate value/ },
  { spec: { timeouts: { request: '5 s' } }, field: 'spec.timeouts.request', remedy: /should match/ },
  { spec: { timeouts: { request: '1.5s' } }, field: 'spec.timeouts.request', remedy: /should match/ },
  { spec: rules({ backendRefs: [{ name: 'reviews' }] }), field: 'spec.rules[0].backendRefs[0].port', remedy: /Required value/ },
  { spec: rules({ backendRefs: [{ ...backend, weight: -1 }] }), field: 'spec.rules[0].backendRefs[0].weight', remedy: /greater than or equal to 0/ },
  { spec: rules({ backendRefs: [{ ...backend, podSelector: { matchLabels: {} } }] }), field: 'matchLabels', remedy: /at least 1/ },
  { spec: path('/', 'Prefix'), field: 'spec.rules[0].matches[0].path.type', remedy: /"PathPrefix"/ },
  { spec: rules({ matches: [{ method: 'get' }] }), field: 'spec.rules[0].matches[0].method', remedy: /"GET"/ },
  {
    spec: rules({ filters: [{ type: 'RequestRedirect', requestRedirect: { statusCode: 306 } }] }),
    field: 'spec.rules[0].filters[0].requestRedirect.statusCode',
    remedy: /"301", "302"/,
  },
  { spec: rules(...Array.from({ length: 17 }, () => ({}))), field: 'spec.rules', remedy: /at most 16/ },
  { spec: { tls: { mode: 'strict' } }, field: 'spec.tls.mode', remedy: /"Strict", "Permissive"/ },
  { spec: authorize({ name: undefined }), field: 'spec.authorization.rules[0].name', remedy: /Required value/ },
  { spec: authorize({ sources: [] }), field: 'spec.authorization.rules[0].sources', remedy: /at least 1/ },
  {
    spec: authorize({ sources: [{ type: 'SPIFFE', spiffe: 'cluster.local/ns/a/sa/b' }] }),
    field: 'authorization.rules[0].sources[0].spiffe',
    remedy: /should match/,
  },
  { spec: authorize({ matches: [{ path: { value: '/a;b' } }] }), field: 'authorization.rules[0].matches[0].path.value', remedy: /should match/ },
  {
    spec: { authorization: { rules: Array.from({ length: 10_000 }, (_, index) => ({ name: `r${index}` })) } },
    field: 'spec.authorization.rules',
    remedy: /at most 64 items/,
  },
  { spec: { authorization: { rules: [{ name: 'a' }, { name: 'a' }] } }, field: 'spec.authorization.rules[1]', remedy: /Duplicate value/ },
  { spec: limited({ limit: { requests: 0 } }), field: 'rateLimit.local.rules[0].limit.requests', remedy: /greater than or equal to 1/ },
];

const byRule: readonly Omit<BadPolicy, 'by'>[] = [
  {
    spec: rules({ backendRefs: [{ ...backend, podSelector: { matchLabels: { 'a b': 'c' } } }] }),
    field: 'spec.rules[0].backendRefs[0].podSelector.matchLabels',
    remedy: /write letters, digits/,
  },
  { spec: { timeouts: { request: '1s', backendRequest: '2s' } }, field: 'spec.timeouts.backendRequest', remedy: /shorten backendRequest, or lengthen request/ },
  { spec: rules({ timeouts: { request: '1s', backendRequest: '1001ms' } }), field: 'spec.rules[0].timeouts.backendRequest', remedy: /shorten backendRequest/ },
  { spec: target({ kind: 'Namespace', name: 'shop', sectionName: 'http' }), field: 'spec.targetRefs[1].sectionName', remedy: /name a Service/ },
  { spec: target({ kind: 'Namespace', name: 'shop', namespace: 'b' }), field: 'spec.targetRefs[1].namespace', remedy: /the name is the namespace/ },
  { spec: target({ kind: 'Service', name: 'reviews' }), field: 'spec.targetRefs', remedy: /remove one of the two/ },
  { spec: load({ type: 'ConsistentHash' }), field: 'spec.loadBalancing.consistentHash', remedy: /say what is hashed/ },
  { spec: load({ consistentHash: { type: 'SourceIP' } }), field: 'spec.loadBalancing.consistentHash', remedy: /set type: ConsistentHash/ },
  { spec: load({ type: 'Random', slowStart: { window: '1s' } }), field: 'spec.loadBalancing.slowStart', remedy: /or remove slowStart/ },
  { spec: load({ slowStart: { window: '0s' } }), field: 'spec.loadBalancing.slowStart.window', remedy: /write 1ms or more/ },
  { spec: hash({ type: 'Header' }), field: 'spec.loadBalancing.consistentHash.header', remedy: /set header, which type Header needs/ },
  { spec: hash({ type: 'SourceIP', cookie: { name: 'a' } }), field: 'spec.loadBalancing.consistentHash.cookie', remedy: /set type: Cookie, or remove cookie/ },
  { spec: hash({ type: 'QueryParameter', header: { name: 'a' }, queryParameter: { name: 'a' } }), field: 'consistentHash.header', remedy: /or remove header/ },
  { spec: hash({ type: 'Cookie', cookie: { name: 'a', ttl: '8761h' } }), field: 'consistentHash.cookie.ttl', remedy: /write 8760h or less/ },
  { spec: { outlierDetection: { maxEjectionTime: '29s' } }, field: 'spec.outlierDetection.maxEjectionTime', remedy: /shorten baseEjectionTime/ },
  { spec: { outlierDetection: { interval: '2h' } }, field: 'spec.outlierDetection.interval', remedy: /write 1h or less/ },
  { spec: { connection: { idleTimeout: '25h' } }, field: 'spec.connection.idleTimeout', remedy: /write 24h or less/ },
  { spec: { connection: { connectTimeout: '0s' } }, field: 'spec.connection.connectTimeout', remedy: /write 1ms or more/ },
  { spec: { retry: { backoff: '61s' } }, field: 'spec.retry.backoff', remedy: /write 1m or less/ },
  { spec: { retryConstraint: { budget: { interval: '999ms' } } }, field: 'spec.retryConstraint.budget.interval', remedy: /write 1s or more/ },
  { spec: rules({ name: 'a' }, { name: 'b' }, { name: 'a' }), field: 'spec.rules', remedy: /give each rule a name of its own/ },
  {
    spec: rules(...Array.from({ length: 3 }, () => ({ matches: Array.from({ length: 64 }, () => ({})) }))),
    field: 'spec.rules',
    remedy: /match more generally/,
  },
  { spec: path('reviews'), field: 'spec.rules[0].matches[0].path.value', remedy: /write a \/ before it/ },
  { spec: path('/a//b', 'PathPrefix'), field: 'spec.rules[0].matches[0].path.value', remedy: /write it without them/ },
  { spec: path('/a/..'), field: 'spec.rules[0].matches[0].path.value', remedy: /write it without them/ },
  { spec: path('/a%2Fb'), field: 'spec.rules[0].matches[0].path.value', remedy: /write it without them/ },
  { spec: path('/a b'), field: 'spec.rules[0].matches[0].path.value', remedy: /percent-encoded/ },
  { spec: path('/a?b=c'), field: 'spec.rules[0].matches[0].path.value', remedy: /a query goes into queryParams/ },
  {
    spec: rules({ matches: [{ headers: [{ type: 'RegularExpression', name: 'a', value: 'a'.repeat(1025) }] }] }),
    field: 'spec.rules[0].matches[0].headers[0].value',
    remedy: /shorten the expression/,
  },
  { spec: rules({ filters: [{ type: 'URLRewrite' }] }), field: 'spec.rules[0].filters[0].urlRewrite', remedy: /set urlRewrite, which type URLRewrite needs/ },
  { spec: rules({ filters: [{ ...redirect, urlRewrite: {} }] }), field: 'spec.rules[0].filters[0].urlRewrite', remedy: /or remove urlRewrite/ },
  { spec: rules({ filters: [redirect, redirect] }), field: 'spec.rules[0].filters', remedy: /make one filter of the two/ },
  { spec: rules({ filters: [redirect], backendRefs: [backend] }), field: 'spec.rules[0].filters', remedy: /remove backendRefs, or the filter/ },
  {
    spec: rules({ filters: [redirect, { type: 'URLRewrite', urlRewrite: { hostname: 'a' } }] }),
    field: 'spec.rules[0].filters',
    remedy: /change the location in the redirect/,
  },
  { spec: rules(rewrite({ type: 'ReplaceFullPath' })), field: 'urlRewrite.path.replaceFullPath', remedy: /which type ReplaceFullPath needs/ },
  {
    spec: rules(rewrite({ type: 'ReplaceFullPath', replaceFullPath: '/', replacePrefixMatch: '/' })),
    field: 'urlRewrite.path.replacePrefixMatch',
    remedy: /or remove replacePrefixMatch/,
  },
  { spec: rules(rewrite({ type: 'ReplaceFullPath', replaceFullPath: 'new' })), field: 'urlRewrite.path.replaceFullPath', remedy: /write a \/ before it/ },
  { spec: rules(rewrite({ type: 'ReplacePrefixMatch', replacePrefixMatch: '/a b' })), field: 'path.replacePrefixMatch', remedy: /percent-encoded/ },
  {
    spec: rules({ ...rewrite({ type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }), matches: [{ path: { type: 'Exact', value: '/a' } }] }),
    field: 'spec.rules[0].filters',
    remedy: /match by PathPrefix, or use ReplaceFullPath/,
  },
  { spec: rules(mirror({ percent: 1, fraction: { numerator: 1 } })), field: 'filters[0].requestMirror.fraction', remedy: /keep one of the two/ },
  { spec: rules(mirror({ fraction: { numerator: 101 } })), field: 'requestMirror.fraction.numerator', remedy: /100 of 100/ },
  { spec: rules({ filters: [request({ remove: ['Host'] })] }), field: 'filters[0].requestHeaderModifier.remove', remedy: /write the new host in set/ },
  { spec: rules({ filters: [request({ add: [{ name: 'host', value: 'a' }] })] }), field: 'requestHeaderModifier.add', remedy: /write the new host in set/ },
  {
    spec: rules({
      backendRefs: [{ ...backend, filters: [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'Host', value: 'a' }] } }] }],
    }),
    field: 'backendRefs[0].filters[0].responseHeaderModifier.set',
    remedy: /remove it/,
  },
  {
    spec: rules({ backendRefs: [{ ...backend, filters: [redirect] }] }),
    field: 'spec.rules[0].backendRefs[0].filters',
    remedy: /move the others to the rule's filters/,
  },
];

const byRuleOfServer: readonly Omit<BadPolicy, 'by'>[] = [
  { spec: { authorization: {} }, field: 'spec.authorization', remedy: /set rules, or defaultAction: Deny/ },
  { spec: authorize({ sources: [{ type: 'CIDR' }] }), field: 'authorization.rules[0].sources[0].cidr', remedy: /set cidr, which type CIDR needs/ },
  {
    spec: authorize({ sources: [{ type: 'CIDR', cidr: '::/0', namespace: 'a' }] }),
    field: 'sources[0].namespace',
    remedy: /set type: Namespace, or remove namespace/,
  },
  { spec: { rateLimit: { type: 'Local' } }, field: 'spec.rateLimit.local', remedy: /set local, which type Local needs/ },
  { spec: limited({ key: 'Header' }), field: 'rateLimit.local.rules[0].header', remedy: /set header, which key Header needs/ },
  { spec: limited({ header: { name: 'a' } }), field: 'rateLimit.local.rules[0].header', remedy: /set key: Header, or remove header/ },
];

const twice = [
  { name: 'Id', value: '1' },
  { name: 'id', value: '2' },
];
const expression = (value: string) => path(value, 'RegularExpression');

const byWebhook: readonly Omit<BadPolicy, 'by'>[] = [
  { spec: authorize({ sources: [{ type: 'CIDR', cidr: '10.0.0.0/33' }] }), field: 'authorization.rules[0].sources[0].cidr', remedy: /such as 10\.0\.0\.0\/8/ },
  {
    spec: {
      authorization: {
        rules: Array.from({ length: 9 }, (_, index) => ({ name: `r${index}`, matches: Array.from({ length: 32 }, (__, at) => ({ port: at + 1 })) })),
      },
    },
    field: 'spec.authorization.rules',
    remedy: /write a prefix for many paths/,
  },
  { spec: authorize({ matches: [{ headers: twice }] }), field: 'matches[0].headers[1].name', remedy: /remove one of the two/ },
  { spec: authorize({ matches: [{ headers: [{ name: 'host', value: 'a' }] }] }), field: 'matches[0].headers[0].name', remedy: /match by path or port/ },
  { spec: expression('/a(?=b)'), field: 'spec.rules[0].matches[0].path.value', remedy: /write it in the syntax of RE2/ },
  { spec: expression('(/a)\\1'), field: 'spec.rules[0].matches[0].path.value', remedy: /no lookaround and no backreferences/ },
  { spec: expression('\\pL{1000}'.repeat(4)), field: 'spec.rules[0].matches[0].path.value', remedy: /write smaller repeat counts/ },
  { spec: expression('(?:a{0,1000})'.repeat(78)), field: 'spec.rules[0].matches[0].path.value', remedy: /write smaller repeat counts/ },
  {
    spec: rules(...Array.from({ length: 16 }, (_, index) => ({ matches: [{ path: { type: 'RegularExpression', value: `/${index}.{1000}` } }] }))),
    field: 'spec.rules',
    remedy: /shorten them, or split the rules/,
  },
  {
    spec: rules({ matches: [{ queryParams: [{ type: 'RegularExpression', name: 'a', value: '[' }] }] }),
    field: 'queryParams[0].value',
    remedy: /syntax of RE2/,
  },
  { spec: rules({ matches: [{ headers: twice }] }), field: 'spec.rules[0].matches[0].headers[1].name', remedy: /remove one of the two/ },
  { spec: rules({ filters: [request({ set: twice })] }), field: 'requestHeaderModifier.set[1].name', remedy: /do one thing to each header/ },
  {
    spec: rules({ filters: [request({ set: [{ name: 'a', value: '1' }], remove: ['A'] })] }),
    field: 'requestHeaderModifier.remove[0]',
    remedy: /do one thing to each header/,
  },
  { spec: rules({ filters: [request({ remove: ['HOST'] })] }), field: 'requestHeaderModifier.remove[0]', remedy: /write the new host in set/ },
  { spec: target({ kind: 'Service', name: 'reviews', namespace: 'shop' }), field: 'spec.targetRefs[1]', remedy: /remove one of the two/ },
];

/** All of them. Those of the webhook are for a policy in the namespace `shop` about its Service `reviews`. */
export const badPolicies: readonly BadPolicy[] = [
  ...bySchema.map((each) => ({ ...each, by: 'schema' }) as const),
  ...[...byRule, ...byRuleOfServer].map((each) => ({ ...each, by: 'rule' }) as const),
  ...byWebhook.map((each) => ({ ...each, by: 'webhook' }) as const),
];
