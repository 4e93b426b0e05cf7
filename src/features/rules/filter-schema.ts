import { Type } from 'typebox';
import { goesWith, headerName, headerValue, list, object, oneOf, port, subdomain, text, whole } from '../fields.js';
import { backendObject } from './backend-object.js';

const header = object('A header and its value.', {
  name: headerName('The name of the header; its case does not matter.'),
  value: headerValue('Its value.'),
});

const headerModifier = object('What is done to the headers; a header may be named once.', {
  set: Type.Optional(list('Headers that are set, over what is there.', header, { max: 16, type: { map: 'name' } })),
  add: Type.Optional(list('Headers that are added to what is there.', header, { max: 16, type: { map: 'name' } })),
  remove: Type.Optional(list('Headers that are removed.', headerName('The name of a header; its case does not matter.'), { max: 16, type: 'set' })),
});

const pathModifier = object(
  'How the path is changed.',
  {
    type: oneOf('ReplaceFullPath: the whole path. ReplacePrefixMatch: the part that a PathPrefix match has matched.', [
      'ReplaceFullPath',
      'ReplacePrefixMatch',
    ]),
    replaceFullPath: Type.Optional(text('The new path.', { min: 0, max: 1024 })),
    replacePrefixMatch: Type.Optional(text('What comes in place of the matched prefix.', { min: 0, max: 1024 })),
  },
  goesWith('replaceFullPath', 'ReplaceFullPath'),
  goesWith('replacePrefixMatch', 'ReplacePrefixMatch'),
);

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
        { rule: 'self.numerator <= (has(self.denominator) ? self.denominator : 100)', message: 'numerator must not exceed denominator' },
      ),
    ),
  },
  { rule: '!(has(self.percent) && has(self.fraction))', message: 'percent and fraction do not go together' },
);

const requestRedirect = object('Answers with a redirection.', {
  scheme: Type.Optional(oneOf('The scheme of the new location. Left out: that of the request.', ['http', 'https'])),
  hostname: Type.Optional(subdomain('The host of the new location. Left out: that of the request.')),
  path: Type.Optional(pathModifier),
  port: Type.Optional(port('The port of the new location. Left out: that which belongs to `scheme`, or that of the request.')),
  statusCode: Type.Optional(Type.Enum([301, 302, 303, 307, 308], { description: 'The status code of the answer.', default: 302 })),
});

const urlRewrite = object('Changes the request before it is sent on.', {
  hostname: Type.Optional(subdomain('The new Host header.')),
  path: Type.Optional(pathModifier),
});

/** HTTPRouteFilter of the Gateway API: one of the filters that this version knows, under the field of its name. */
export const filter = object(
  'One thing that is done to a request or its answer: `type` says what, the field of that name how.',
  {
    type: oneOf('Which filter this is.', ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite', 'RequestMirror']),
    requestHeaderModifier: Type.Optional(headerModifier),
    responseHeaderModifier: Type.Optional(headerModifier),
    requestRedirect: Type.Optional(requestRedirect),
    urlRewrite: Type.Optional(urlRewrite),
    requestMirror: Type.Optional(requestMirror),
  },
  goesWith('requestHeaderModifier', 'RequestHeaderModifier'),
  goesWith('responseHeaderModifier', 'ResponseHeaderModifier'),
  goesWith('requestRedirect', 'RequestRedirect'),
  goesWith('urlRewrite', 'URLRewrite'),
  goesWith('requestMirror', 'RequestMirror'),
);
