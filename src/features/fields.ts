/** The building blocks of stanza schemas: one for each kind of field, so that bounds and formats are said once. */
import { type TProperties, type TSchema, Type } from 'typebox';
import { durationPattern } from '../model/duration.js';
import { type CelRule, cel } from './cel.js';

/** An object that has these fields and no others. */
export function object<P extends TProperties>(description: string, properties: P, ...rules: readonly CelRule[]) {
  return Type.Object(properties, { description, additionalProperties: false, ...cel(rules) });
}

/** Bounds and meaning of a list. */
export interface ListOptions {
  readonly min?: number;
  readonly max: number;
  /** How the API server merges it: whole (`atomic`, the default), as a set of scalars, or by a field of its items, which is then unique. */
  readonly type?: 'atomic' | 'set' | { readonly map: string };
  readonly rules?: readonly CelRule[];
}

/** A list with at least `min` (0) and at most `max` items. */
export function list<Item extends TSchema>(description: string, item: Item, { min, max, type = 'atomic', rules = [] }: ListOptions) {
  const keywords =
    typeof type === 'string' ? { 'x-kubernetes-list-type': type } : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [type.map] };
  return Type.Array(item, { description, ...(min ? { minItems: min } : {}), maxItems: max, ...keywords, ...cel(rules) });
}

/** One of a few words. */
export function oneOf<const Values extends readonly string[]>(description: string, values: Values, options: { readonly default?: Values[number] } = {}) {
  return Type.Enum<[...Values]>([...values], { description, ...options });
}

/** The keyword under which the schema of a text holds its {@link Form}; only messages read it. */
export const formWords = 'x-weft-form';

/** What a text must look like: the pattern, which must mean the same in JavaScript and in RE2, and what it says in words. */
export interface Form {
  readonly pattern: string;
  /** After "must be": `a duration such as 250ms, 10s or 1m30s`. */
  readonly expected: string;
  /** What to do: `write it in letters and digits`. */
  readonly remedy: string;
}

/** Bounds of a text. */
export interface TextOptions {
  /** 1 unless said otherwise. */
  readonly min?: number;
  readonly max: number;
  readonly form?: Form;
  readonly default?: string;
}

/** Text. */
export function text(description: string, { min = 1, max, form, ...others }: TextOptions) {
  return Type.String({ description, ...(min > 0 ? { minLength: min } : {}), maxLength: max, ...(form ? formOptions(form) : {}), ...others });
}

function formOptions({ pattern, expected, remedy }: Form) {
  return { pattern, [formWords]: { expected, remedy } };
}

/** A whole number between two bounds, both included. */
export function whole(description: string, options: { readonly min: number; readonly max: number; readonly default?: number }) {
  const { min, max, ...others } = options;
  return Type.Integer({ description, minimum: min, maximum: max, ...others });
}

/** Per cent, from 0 to 100. */
export function percentage(description: string, options: { readonly default?: number } = {}) {
  return whole(description, { min: 0, max: 100, ...options });
}

/** The keyword under which a duration's schema holds its {@link DurationBounds}. */
export const durationBounds = 'x-weft-duration';

/** The shortest and the longest duration that a field takes, both included. */
export interface DurationBounds {
  readonly min?: string;
  readonly max?: string;
}

const durationForm: Form = {
  pattern: durationPattern,
  expected: 'a duration such as 250ms, 10s or 1m30s',
  remedy: 'write whole numbers of at most 5 digits, each with its unit (h, m, s or ms), without spaces',
};

/** A duration as the Gateway API writes it (GEP-2257): `1h30m`, `250ms`, `0s`. */
export function duration(description: string, options: DurationBounds & { readonly default?: string } = {}) {
  const { min, max, ...others } = options;
  const bounds = min || max ? { [durationBounds]: { ...(min ? { min } : {}), ...(max ? { max } : {}) } } : {};
  return text(description, { max: 32, form: durationForm, ...bounds, ...others });
}

const headerNameForm: Form = {
  pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$",
  expected: 'the name of an HTTP header, such as x-user',
  remedy: 'write letters, digits and "-", without spaces or colons',
};

/** The name of an HTTP header (RFC 9110, section 5.1); its case does not matter. */
export function headerName(description: string) {
  return text(description, { max: 256, form: headerNameForm });
}

const headerValueForm: Form = {
  pattern: '^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$',
  expected: 'the value of an HTTP header, which is one line without control characters',
  remedy: 'remove line breaks and other control characters',
};

/** The value of an HTTP header that is set (RFC 9110, section 5.5). */
export function headerValue(description: string) {
  return text(description, { max: 4096, form: headerValueForm });
}

const labelForm: Form = {
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  expected: 'a name of lower-case letters, digits and "-" that begins and ends with a letter or digit',
  remedy: 'write a name such as reviews-v1',
};

/** A name that is a DNS label (RFC 1123). */
export function label(description: string) {
  return text(description, { max: 63, form: labelForm });
}

/** What a DNS subdomain looks like (RFC 1123). */
export const subdomainPattern = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

const subdomainForm: Form = {
  pattern: subdomainPattern,
  expected: 'a name of lower-case letters, digits, "-" and "." whose parts begin and end with a letter or digit',
  remedy: 'write a name such as reviews-v1 or reviews.example.com',
};

/** A name that is a DNS subdomain (RFC 1123). */
export function subdomain(description: string) {
  return text(description, { max: 253, form: subdomainForm });
}

/** A TCP port. */
export function port(description: string) {
  return whole(description, { min: 1, max: 65535 });
}
