/** HTTPRouteRule of the Gateway API, field for field (v1.4, with `name`, `timeouts` and `retry`), plus `podSelector`. */
import { type Static, Type } from 'typebox';
import { formWords, list, object, subdomain, text, whole } from '../fields.js';
import { retry } from '../retry/schema.js';
import { timeouts } from '../timeouts/schema.js';
import { backendObject } from './backend-object.js';
import { allRules, backendRules, ruleRules } from './cel.js';
import { backendFilters, ruleFilters } from './filter-schema.js';
import { match } from './match-schema.js';

const labelWords = {
  expected: 'the name of a label, such as version or app.kubernetes.io/name',
  remedy: 'write letters, digits, "-", "_" and ".", if need be after a domain and a /',
};
const labelKey = { pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$', ...labelWords };
const labelValue = text('The value of the label.', {
  min: 0,
  max: 63,
  form: {
    pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$',
    expected: 'the value of a label: letters, digits, "-", "_" and ".", a letter or digit first and last',
    remedy: 'write the value as it stands in the labels of the Pods, such as v2',
  },
});

const podSelector = object('Only the pods of the Service that have these labels.', {
  matchLabels: Type.Record(text('The name of a label.', { max: 317, form: labelKey }), labelValue, {
    description: 'Every one of these labels must be there with this value.',
    additionalProperties: false,
    [formWords]: labelWords,
    minProperties: 1,
    maxProperties: 16,
  }),
});

const backendRef = backendObject(
  'Where requests go.',
  {
    weight: Type.Optional(whole('Its share of the requests, over the sum of all weights. 0: none.', { min: 0, max: 1_000_000, default: 1 })),
    podSelector: Type.Optional(podSelector),
    filters: Type.Optional(backendFilters('What is done to requests for this backend only.')),
  },
  ...backendRules,
);

const rule = object(
  'Requests that match are treated in this way.',
  {
    name: Type.Optional(subdomain('A name, unique among the rules, by which messages and statistics speak of the rule.')),
    matches: Type.Optional(list('One of these must match. Left out: every request matches.', match, { max: 64 })),
    filters: Type.Optional(ruleFilters('What is done to matching requests and their answers.')),
    backendRefs: Type.Optional(list('Where matching requests go. Left out: to the Service that the policy is about.', backendRef, { max: 16 })),
    timeouts: Type.Optional(timeouts),
    retry: Type.Optional(retry),
  },
  ...ruleRules,
);

/** The `rules` stanza. */
export const rules = list('How requests are routed. The most specific match wins, as the Gateway API says; a request that no rule matches gets 404.', rule, {
  min: 1,
  max: 16,
  rules: allRules,
});

/** The `rules` stanza of a policy. */
export type Rules = Static<typeof rules>;
/** One rule. */
export type Rule = Rules[number];
/** One alternative of a rule's `matches`. */
export type Match = Static<typeof match>;
/** One filter of a rule or of a backend: only the field that `type` names is there (`check` sees to it). */
export type Filter = NonNullable<Rule['filters']>[number];
/** One backend of a rule. */
export type BackendRef = Static<typeof backendRef>;
