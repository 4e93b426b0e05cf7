import { Type } from 'typebox';
import { type CelRule, goesWith } from '../cel.js';
import { headerName, headerValue, list, object, oneOf, port, subdomain, text, whole } from '../fields.js';
import { backendObject } from './backend-object.js';
import { filtersRules, hostRules, newPathRules } from './cel.js';

const header = object('A header and its value.', {
  name: headerName('The name of the header; its case does not matter.'),
  value: headerValue('Its value.'),
});

const headerLists = {
  set: Type.Optional(list('Headers that are set, over what is there.', header, { max: 16, type: { map: 'name' } })),
  add: Type.Optional(list('Headers that are added to what is there.', header, { max: 16, type: { map: 'name' } })),
  remove: Type.Optional(list('Headers that are removed.', headerName('The name of a header; its case does not matter.'), { max: 16, type: 'set' })),
};

function headerModifier(...rules: readonly CelRule[]) {
  return object('What is done to the headers; a header may be named once.', headerLists, ...rules);
}

function pathModifier(...rules: readonly CelRule[]) {
  return object(
    'How the path is changed.',
    {
      type: oneOf('ReplaceFullPath: the whole path. ReplacePrefixMatch: the part that a PathPrefix match has matched.', [
        'ReplaceFullPath',
        'ReplacePrefixMatch',
      ]),
      replaceFullPath: Type.Optional(text('The new path.', { min: 0, max: 1024 })),
      replacePrefixMatch: Type.Optional(text('What comes in place of the matched prefix.', { min: 0, max: 1024 })),
    },
    ...goesWith('replaceFullPath', 'ReplaceFullPath'),
    ...goesWith('replacePrefixMatch', 'ReplacePrefixMatch'),
    ...rules,
  );
}

const requestMirror = object(
  'Sends a copy of the request to another backend, whose answers are ignored.',
  {
    backendRef: backendObject('Where the copies go.', {}),
    percent: Type.Optional(whole('How many requests of a hundred are copied. Left out, and without a fraction: all.', { min: 0, max: 100 })),
    fraction: Type.Optional(
      object(
        'How many requests are copied, as a fraction of at most one.',
        {
          numerator: whole('So many requests ...', { min: 0, max: 1_000_000 }),
          denominator: Type.Optional(whole('... of so many.', { min: 1, max: 1_000_000, default: 100 })),
        },
        {
          rule: 'self.numerator <= self.denominator',
          field: 'numerator',
          message: 'must not exceed the denominator, which is 100 unless it is set',
          remedy: 'a copy of every request is 100 of 100',
        },
      ),
    ),
  },
  { rule: '!(has(self.percent) && has(self.fraction))', field: 'fraction', message: 'does not go with percent', remedy: 'keep one of the two' },
);

function requestRedirect(path: ReturnType<typeof pathModifier>) {
  return object('Answers with a redirection.', {
    scheme: Type.Optional(oneOf('The scheme of the new location. Left out: that of the request.', ['http', 'https'])),
    hostname: Type.Optional(subdomain('The host of the new location. Left out: that of the request.')),
    path: Type.Optional(path),
    port: Type.Optional(port('The port of the new location. Left out: that which belongs to `scheme`, or that of the request.')),
    statusCode: Type.Optional(Type.Enum([301, 302, 303, 307, 308], { description: 'The status code of the answer.', default: 302 })),
  });
}

function urlRewrite(path: ReturnType<typeof pathModifier>) {
  return object('Changes the request before it is sent on.', {
    hostname: Type.Optional(subdomain('The new Host header.')),
    path: Type.Optional(path),
  });
}

/** HTTPRouteFilter of the Gateway API: one of the filters that this version knows, under the field of its name. */
function filter(path: ReturnType<typeof pathModifier>) {
  return object(
    'One thing that is done to a request or its answer: `type` says what, the field of that name how.',
    {
      type: oneOf('Which filter this is.', ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite', 'RequestMirror']),
      requestHeaderModifier: Type.Optional(headerModifier(...hostRules('add', 'remove'))),
      responseHeaderModifier: Type.Optional(headerModifier(...hostRules('set', 'add', 'remove'))),
      requestRedirect: Type.Optional(requestRedirect(path)),
      urlRewrite: Type.Optional(urlRewrite(path)),
      requestMirror: Type.Optional(requestMirror),
    },
    ...goesWith('requestHeaderModifier', 'RequestHeaderModifier'),
    ...goesWith('responseHeaderModifier', 'ResponseHeaderModifier'),
    ...goesWith('requestRedirect', 'RequestRedirect'),
    ...goesWith('urlRewrite', 'URLRewrite'),
    ...goesWith('requestMirror', 'RequestMirror'),
  );
}

/** The `filters` of a rule. */
export function ruleFilters(description: string) {
  const path = pathModifier(...newPathRules('replaceFullPath'), ...newPathRules('replacePrefixMatch'));
  return list(description, filter(path), { max: 16, rules: filtersRules });
}

/** The `filters` of a backend, of which there are so many that the API server could not afford to look at their paths; none of them may have one. */
export function backendFilters(description: string) {
  return list(description, filter(pathModifier()), { max: 16, rules: filtersRules });
}
