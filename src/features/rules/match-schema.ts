import { Type } from 'typebox';
import { headerName, list, object, oneOf, text } from '../fields.js';
import { headerMatchRules, pathRules } from './cel.js';

const pathTypes = ['Exact', 'PathPrefix', 'RegularExpression'] as const;
const valueTypes = ['Exact', 'RegularExpression'] as const;

const path = object(
  'Which paths are meant.',
  {
    type: Type.Optional(
      oneOf(
        'Exact: this path. PathPrefix: this path and what lies below it (/shop is /shop and /shop/cart, not /shopping). RegularExpression: RE2, the whole path.',
        pathTypes,
        {
          default: 'PathPrefix',
        },
      ),
    ),
    value: Type.Optional(text('The path, its beginning, or the expression; without a query.', { max: 1024, default: '/' })),
  },
  ...pathRules,
);

const header = object(
  'A header that the request must have.',
  {
    type: Type.Optional(oneOf('How the value is compared. RegularExpression: RE2, the whole value.', valueTypes, { default: 'Exact' })),
    name: headerName('The name of the header; its case does not matter.'),
    value: text('The value, or the expression, which has at most 1024 characters.', { max: 4096 }),
  },
  ...headerMatchRules,
);

const queryParam = object('A parameter that the query of the request must have.', {
  type: Type.Optional(oneOf('How the value is compared. RegularExpression: RE2, the whole value.', valueTypes, { default: 'Exact' })),
  name: headerName('The name of the parameter; its case matters.'),
  value: text('The value, or the expression.', { max: 1024 }),
});

/** HTTPRouteMatch of the Gateway API: all that is said must hold. */
export const match = object('All of what is said must hold.', {
  path: Type.Optional(path),
  headers: Type.Optional(list('Every one of these headers must be there.', header, { max: 16, type: { map: 'name' } })),
  queryParams: Type.Optional(list('Every one of these query parameters must be there.', queryParam, { max: 16, type: { map: 'name' } })),
  method: Type.Optional(oneOf('The method of the request.', ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])),
});
