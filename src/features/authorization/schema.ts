import { type Static, Type } from 'typebox';
import { goesWith } from '../cel.js';
import { type Form, headerName, label, list, object, oneOf, port, subdomain, text } from '../fields.js';
import { plainPath } from './path-pattern.js';

const spiffeForm: Form = {
  pattern: '^spiffe://[a-z0-9]([-a-z0-9._]*[a-z0-9])?(/[-A-Za-z0-9._]+)+$',
  expected: 'a SPIFFE id, such as spiffe://cluster.local/ns/shop/sa/cart',
  remedy: 'write spiffe://, the trust domain and the path of the identity',
};

const cidrForm: Form = {
  pattern: '^[0-9a-fA-F:.]+/[0-9]{1,3}$',
  expected: 'a range of addresses in CIDR notation, such as 10.0.0.0/8 or fd00::/8',
  remedy: 'write an address, a slash and the length of the prefix; /32 or /128 for one address',
};

/** How a path in a rule is written. */
export const pathForm: Form = {
  pattern: plainPath,
  expected: 'a path that all servers read alike: it begins with /, and holds neither //, /./, /../, ?, ;, \\ nor characters encoded without need',
  remedy: 'write a path such as /reviews, in the case that the server uses; //, %2F, %3B and the like never match',
};

const headerForm: Form = {
  pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$',
  expected: 'the value of a header, in ASCII, without spaces at its ends',
  remedy: 'write letters, digits and signs',
};

const serviceAccount = object('The ServiceAccount of the calling pod.', {
  namespace: Type.Optional(label('Its namespace. Left out: that of the policy.')),
  name: subdomain('Its name.'),
});

const source = object(
  'Who calls.',
  {
    type: oneOf(
      'ServiceAccount, Namespace, SPIFFE: by the certificate of the caller, so never true of a caller without mutual TLS. CIDR: by the address from which the connection comes; headers do not count.',
      ['ServiceAccount', 'Namespace', 'SPIFFE', 'CIDR'],
    ),
    serviceAccount: Type.Optional(serviceAccount),
    namespace: Type.Optional(label('Every ServiceAccount of this namespace.')),
    spiffe: Type.Optional(text('Exactly this SPIFFE id.', { max: 256, form: spiffeForm })),
    cidr: Type.Optional(text('Every address in this range.', { max: 64, form: cidrForm })),
  },
  ...goesWith('serviceAccount', 'ServiceAccount'),
  ...goesWith('namespace', 'Namespace'),
  ...goesWith('spiffe', 'SPIFFE'),
  ...goesWith('cidr', 'CIDR'),
);

const path = object('Which paths are meant. A path that servers read in different ways is unknown: it matches in Deny rules, and never in Allow rules.', {
  type: Type.Optional(
    oneOf('Exact: this path. PathPrefix: this path and what lies below it (/shop is /shop and /shop/cart, not /shopping).', ['Exact', 'PathPrefix'], {
      default: 'PathPrefix',
    }),
  ),
  value: Type.Optional(
    text('The path, or its beginning; without a query. Case matters in Allow rules; a Deny rule means the path in any case.', {
      max: 256,
      default: '/',
      form: pathForm,
    }),
  ),
});

const header = object('A header of the request. Callers write what they like there.', {
  name: headerName('The name of the header; its case does not matter.'),
  value: text('The value. An Allow rule wants exactly this and nothing else; a Deny rule matches if it is one of several values or of a list with commas.', {
    max: 128,
    form: headerForm,
  }),
});

const match = object('All of what is said must hold. On a TCP port method, path and headers are unknown.', {
  method: Type.Optional(
    oneOf('The method of the request. GET does not include HEAD.', ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']),
  ),
  path: Type.Optional(path),
  headers: Type.Optional(list('Every one of these headers must be there.', header, { min: 1, max: 8, type: { map: 'name' } })),
  port: Type.Optional(port('The port on which the pod listens (the targetPort of the Service).')),
});

const rule = object('Calls from one of the sources that match are allowed, or denied.', {
  name: subdomain('A name, unique in the policy. Access logs and metrics know the rule as namespace/policy/name.'),
  action: Type.Optional(oneOf('Deny: wins over every Allow, of any policy.', ['Allow', 'Deny'], { default: 'Allow' })),
  mode: Type.Optional(
    oneOf('Enforce: it takes effect. Shadow: access logs and metrics tell what it would do, and nothing changes.', ['Enforce', 'Shadow'], {
      default: 'Enforce',
    }),
  ),
  sources: Type.Optional(list('Who calls: one of these. Left out: anybody.', source, { min: 1, max: 64 })),
  matches: Type.Optional(list('What is called: one of these. Left out: anything.', match, { min: 1, max: 32 })),
});

/** The schema of the `authorization` stanza. */
export const authorization = object(
  'Who may call the pods of a Service. All policies that hold for a port add up: a matching Deny rule of any of them denies; else a matching Allow rule of any of them allows; else the call is denied if the default of any of them is Deny, and allowed if not. What cannot be known of a call (the identity of a caller without mutual TLS, a path that servers read in different ways) never matches in an Allow rule and always in a Deny rule.',
  {
    defaultAction: Type.Optional(
      oneOf('What happens to calls that no rule matches. Left out: Deny if the policy has an Allow rule (that is not in Shadow mode), Allow if not.', [
        'Allow',
        'Deny',
      ]),
    ),
    rules: Type.Optional(list('The rules; their order does not matter.', rule, { max: 64, type: { map: 'name' } })),
    responseHeader: Type.Optional(
      oneOf('Rule: answers say in x-weft-authorization which rule decided, to callers too. None: they do not.', ['None', 'Rule'], { default: 'None' }),
    ),
  },
  {
    rule: 'has(self.defaultAction) || has(self.rules)',
    message: 'says nothing',
    remedy: 'set rules, or defaultAction: Deny to deny every call',
  },
);

/** The `authorization` stanza. */
export type Authorization = Static<typeof authorization>;
/** One rule. */
export type Rule = NonNullable<Authorization['rules']>[number];
/** One of a rule's `sources`: only the field that `type` names is there (`check` sees to it). */
export type Source = Static<typeof source>;
/** One of a rule's `matches`. */
export type Match = Static<typeof match>;
