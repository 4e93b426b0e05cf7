import { type Static, Type } from 'typebox';
import { pathForm } from '../authorization/schema.js';
import { headerName, list, object, oneOf, subdomain, text, whole } from '../fields.js';

const limit = object('How many calls are let through. There is a bucket of tokens; a call takes one, and is answered 429 where none is left.', {
  requests: whole('So many tokens come back ...', { min: 1, max: 1_000_000_000 }),
  unit: Type.Optional(oneOf('... in this time, evenly.', ['Second', 'Minute', 'Hour'], { default: 'Second' })),
  burst: Type.Optional(
    whole('How many tokens the bucket holds, so how many calls may come at once. Left out: as many as `requests`.', { min: 1, max: 1_000_000_000 }),
  ),
});

const path = object('Which paths are meant.', {
  type: Type.Optional(
    oneOf('Exact: this path. PathPrefix: this path and what lies below it (/shop is /shop and /shop/cart, not /shopping).', ['Exact', 'PathPrefix'], {
      default: 'PathPrefix',
    }),
  ),
  value: Type.Optional(text('The path, or its beginning; without a query.', { max: 256, default: '/', form: pathForm })),
});

const match = object('Which calls are meant: all of what is said must hold. Left out: every call.', {
  method: Type.Optional(oneOf('The method of the request.', ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])),
  path: Type.Optional(path),
});

const rule = object(
  'A limit for some calls. A call must find a token in the bucket of every rule that it matches.',
  {
    name: subdomain('A name, unique in the policy.'),
    mode: Type.Optional(
      oneOf('Enforce: it takes effect. Shadow: metrics tell what it would do, and nothing changes.', ['Enforce', 'Shadow'], { default: 'Enforce' }),
    ),
    match: Type.Optional(match),
    key: Type.Optional(
      oneOf(
        'Which calls share a bucket. Route: all that match. ClientIdentity: those of one ServiceAccount; callers without mutual TLS share one. Header: those with the same value of `header`; those without it share one.',
        ['Route', 'ClientIdentity', 'Header'],
        { default: 'Route' },
      ),
    ),
    header: Type.Optional(object('The header whose value tells callers apart.', { name: headerName('The name of the header; its case does not matter.') })),
    limit,
  },
  { rule: "self.key != 'Header' || has(self.header)", field: 'header', message: 'is missing', remedy: 'set header, which key Header needs' },
  { rule: "self.key == 'Header' || !has(self.header)", field: 'header', message: 'goes with key Header only', remedy: 'set key: Header, or remove header' },
);

const local = object('Each pod counts for itself, and the calls over mutual TLS and those in plaintext apart.', {
  rules: list('The limits; their order does not matter.', rule, { min: 1, max: 32, type: { map: 'name' } }),
  responseHeaders: Type.Optional(
    oneOf(
      'XRateLimit: answers say in x-ratelimit-limit, -remaining and -reset how much of the tightest limit is left (draft 3 of RateLimit header fields). None: they do not. An answer 429 always has retry-after.',
      ['None', 'XRateLimit'],
      {
        default: 'None',
      },
    ),
  ),
});

/** The schema of the `rateLimit` stanza. */
export const rateLimit = object(
  'How many calls the pods of a Service take. On a TCP port, how many connections.',
  {
    type: oneOf('Local: each pod counts for itself.', ['Local']),
    local: Type.Optional(local),
  },
  { rule: "self.type != 'Local' || has(self.local)", field: 'local', message: 'is missing', remedy: 'set local, which type Local needs' },
);

/** The `rateLimit` stanza. */
export type RateLimit = Static<typeof rateLimit>;
/** One limit. */
export type Rule = NonNullable<RateLimit['local']>['rules'][number];
