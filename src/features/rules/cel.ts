/** The CEL of `rules`, which says of what `check` says as much as the API server can afford to look at. */
import type { CelRule } from '../cel.js';
import { pathPattern } from './path-pattern.js';

/** Of a path match. */
export const pathRules: readonly CelRule[] = [
  { rule: "self.type == 'RegularExpression' || self.value.startsWith('/')", field: 'value', message: 'must begin with /', remedy: 'write a / before it' },
  {
    rule: `self.type == 'RegularExpression' || self.value.matches(r"${pathPattern}")`,
    field: 'value',
    message: 'holds characters that no path holds',
    remedy: 'write them percent-encoded, as in %20; a query goes into queryParams',
  },
  {
    rule: `self.type == 'RegularExpression' || !self.value.matches(r"//|/\\.\\.?(?:/|$)|%2[fF]")`,
    field: 'value',
    message: 'never matches, since no path holds //, /./, /../ or %2F',
    remedy: 'write it without them',
  },
];

/** Of a header match; how long the other expressions may be, their schemas say. */
export const headerMatchRules: readonly CelRule[] = [
  {
    rule: "self.type != 'RegularExpression' || size(self.value) <= 1024",
    field: 'value',
    message: 'is an expression of more than 1024 characters',
    remedy: 'shorten the expression',
  },
];

/** Of a path modifier, for each field with a new path. */
export function newPathRules(field: string): readonly CelRule[] {
  const said = `!has(self.${field}) || self.${field} == ''`;
  return [
    { rule: `${said} || self.${field}.startsWith('/')`, field, message: 'must begin with /', remedy: 'write a / before it' },
    {
      rule: `${said} || self.${field}.matches(r"${pathPattern}")`,
      field,
      message: 'holds characters that no path holds',
      remedy: 'write them percent-encoded, as in %20; the query of the request is kept',
    },
  ];
}

/** Of a header modifier: that these of its lists do not name the Host. Lower case of so many names would be too costly, so that only `check` sees a HoSt. */
export function hostRules(...lists: readonly ('set' | 'add' | 'remove')[]): readonly CelRule[] {
  return lists.map((field) => ({
    rule: `!has(self.${field}) || self.${field}.all(h, ${field === 'remove' ? 'h' : 'h.name'} != 'Host' && ${field === 'remove' ? 'h' : 'h.name'} != 'host')`,
    field,
    message: 'names the Host, which can only be set, and only in a request',
    remedy: 'remove it, or write the new host in set of a requestHeaderModifier',
  }));
}

/** Of a list of filters. */
export const filtersRules: readonly CelRule[] = [
  {
    rule: "self.all(a, a.type == 'RequestMirror' || self.exists_one(b, b.type == a.type))",
    message: 'no filter type but RequestMirror may stand twice',
    remedy: 'make one filter of the two',
  },
];

/** Of a backend. */
export const backendRules: readonly CelRule[] = [
  {
    rule: "!has(self.filters) || self.filters.all(f, f.type in ['RequestHeaderModifier', 'ResponseHeaderModifier'])",
    field: 'filters',
    message: 'only RequestHeaderModifier and ResponseHeaderModifier are possible for a single backend',
    remedy: "move the others to the rule's filters, in a rule of its own if need be",
  },
];

const redirects = "has(self.filters) && self.filters.exists(f, f.type == 'RequestRedirect')";
const changesPrefix = (field: string) => `(has(f.${field}) && has(f.${field}.path) && f.${field}.path.type == 'ReplacePrefixMatch')`;

/** Of a rule. */
export const ruleRules: readonly CelRule[] = [
  {
    rule: `!(${redirects}) || !has(self.backendRefs) || size(self.backendRefs) == 0`,
    field: 'filters',
    message: 'RequestRedirect does not go with backendRefs, since nothing is sent there',
    remedy: 'remove backendRefs, or the filter',
  },
  {
    rule: `!(${redirects}) || !self.filters.exists(f, f.type == 'URLRewrite')`,
    field: 'filters',
    message: 'RequestRedirect does not go with URLRewrite',
    remedy: "change the location in the redirect's own fields",
  },
  {
    rule: `!has(self.filters) || !has(self.matches) || !self.filters.exists(f, ${changesPrefix('urlRewrite')} || ${changesPrefix('requestRedirect')}) || self.matches.all(m, !has(m.path) || m.path.type == 'PathPrefix')`,
    field: 'filters',
    message: 'ReplacePrefixMatch replaces a matched prefix, but a path in matches is not of type PathPrefix',
    remedy: 'match by PathPrefix, or use ReplaceFullPath',
  },
];

/** Of all rules together. */
export const allRules: readonly CelRule[] = [
  {
    rule: 'self.all(a, !has(a.name) || self.exists_one(b, has(b.name) && b.name == a.name))',
    message: 'no name may stand twice in rules',
    remedy: 'give each rule a name of its own',
  },
  {
    rule: 'self.map(r, has(r.matches) ? size(r.matches) : 1).sum() <= 128',
    message: 'the rules have more than 128 matches in all',
    remedy: 'split them, or match more generally',
  },
];
