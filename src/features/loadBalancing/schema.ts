import { type Static, Type } from 'typebox';
import { goesWith } from '../cel.js';
import { duration, headerName, object, oneOf, percentage, text } from '../fields.js';

const cookiePath = {
  pattern: '^/[^\\x00-\\x1f\\x7f;]*$',
  expected: 'a path, which begins with / and holds neither control characters nor a semicolon',
  remedy: 'write a path such as /',
};

const cookie = object('The cookie whose value is hashed.', {
  name: headerName('The name of the cookie.'),
  path: Type.Optional(text('The path for which a cookie that the proxy sets is valid.', { max: 1024, form: cookiePath })),
  ttl: Type.Optional(
    duration(
      'How long a cookie that the proxy sets lives; `0s`: as long as the session. Left out: the proxy sets none, and a call without the cookie goes anywhere.',
      {
        max: '8760h',
      },
    ),
  ),
});

const consistentHash = object(
  'What of a call is hashed: calls with the same value go to the same endpoint, as long as it is there.',
  {
    type: oneOf('Header, Cookie or QueryParameter: its value. SourceIP: the address of the calling pod.', ['Header', 'Cookie', 'QueryParameter', 'SourceIP']),
    header: Type.Optional(object('The header whose value is hashed.', { name: headerName('The name of the header; its case does not matter.') })),
    cookie: Type.Optional(cookie),
    queryParameter: Type.Optional(object('The query parameter whose value is hashed.', { name: text('Its name; its case matters.', { max: 256 }) })),
  },
  ...goesWith('header', 'Header'),
  ...goesWith('cookie', 'Cookie'),
  ...goesWith('queryParameter', 'QueryParameter'),
);

const slowStart = object('An endpoint that is new gets few calls at first, and more and more of them.', {
  window: duration('How long it takes until it gets its full share.', { min: '1ms', max: '1h' }),
});

const locality = object('Whether the zone of the caller matters.', {
  type: oneOf('PreferZone: endpoints in the zone of the caller come first.', ['PreferZone']),
  minHealthyPercent: Type.Optional(
    percentage('Calls leave the zone, in part, once fewer than so many of a hundred of its endpoints are healthy.', { default: 70 }),
  ),
});

/** The schema of the `loadBalancing` stanza. */
export const loadBalancing = object(
  'Which endpoint gets a call.',
  {
    type: Type.Optional(
      oneOf(
        'LeastRequest: of two endpoints picked at random, that with fewer calls under way. RoundRobin: one after the other. Random: any. ConsistentHash: as `consistentHash` says.',
        ['RoundRobin', 'LeastRequest', 'Random', 'ConsistentHash'],
        { default: 'LeastRequest' },
      ),
    ),
    consistentHash: Type.Optional(consistentHash),
    slowStart: Type.Optional(slowStart),
    locality: Type.Optional(locality),
  },
  {
    rule: "self.type != 'ConsistentHash' || has(self.consistentHash)",
    field: 'consistentHash',
    message: 'is missing',
    remedy: 'say what is hashed, such as {type: Header, header: {name: x-user}}',
  },
  {
    rule: "self.type == 'ConsistentHash' || !has(self.consistentHash)",
    field: 'consistentHash',
    message: 'goes with type ConsistentHash only',
    remedy: 'set type: ConsistentHash, or remove consistentHash',
  },
  {
    rule: "!has(self.slowStart) || self.type in ['LeastRequest', 'RoundRobin']",
    field: 'slowStart',
    message: 'goes with type LeastRequest or RoundRobin only',
    remedy: 'set type: LeastRequest or RoundRobin, or remove slowStart',
  },
);

/** The `loadBalancing` stanza. */
export type LoadBalancing = Static<typeof loadBalancing>;
/** What is hashed for ConsistentHash. */
export type ConsistentHash = Static<typeof consistentHash>;
