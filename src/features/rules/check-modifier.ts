import { type StanzaProblem, stanzaError } from '../feature.js';
import { pathPattern } from './path-pattern.js';
import type { Filter } from './schema.js';

type PathModifier = NonNullable<NonNullable<Filter['urlRewrite']>['path']>;

const modifiers = [
  { type: 'ReplaceFullPath', field: 'replaceFullPath' },
  { type: 'ReplacePrefixMatch', field: 'replacePrefixMatch' },
] as const;

/** The problems of a path modifier: the field of its type and no other, and in it a path that can be sent. */
export function checkModifier(modifier: PathModifier, path: string): readonly StanzaProblem[] {
  return modifiers.flatMap(({ type, field }) => {
    if ((modifier.type === type) === (modifier[field] !== undefined)) return checkPath(modifier[field] ?? '', `${path}.${field}`);
    return modifier[field] === undefined
      ? [stanzaError(`${path}.${field}`, undefined, 'is missing', `set ${field}, which type ${type} needs`)]
      : [stanzaError(`${path}.${field}`, modifier[field], `does not go with type ${modifier.type}`, `remove ${field}, or change the type`)];
  });
}

const sendable = new RegExp(pathPattern);

/** An empty path is one that is left out. What begins without a slash, or holds more than a path does, is refused by the server that gets it. */
function checkPath(value: string, field: string): readonly StanzaProblem[] {
  if (value === '') return [];
  if (!value.startsWith('/')) return [stanzaError(field, value, 'must begin with /', `write /${value}`)];
  if (sendable.test(value)) return [];
  return [stanzaError(field, value, 'holds characters that no path holds', 'write them percent-encoded, as in %20; the query of the request is kept')];
}
