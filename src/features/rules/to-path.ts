import type { Message } from '../../envoy/types.js';
import { regexLiteral } from './regex-literal.js';
import type { Filter, Match } from './schema.js';
import { prefixOf } from './to-match.js';

type PathModifier = NonNullable<NonNullable<Filter['urlRewrite']>['path']>;

/** How Envoy changes a path, in fields that RouteAction and RedirectAction share. */
export interface PathRewrite {
  readonly prefix_rewrite?: string;
  readonly regex_rewrite?: Message<'envoy.type.matcher.v3.RegexMatchAndSubstitute'>;
}

/** A path modifier of the Gateway API for a request that this match has let through. */
export function toPathRewrite(modifier: PathModifier | undefined, match: Match): PathRewrite {
  if (modifier?.type === 'ReplaceFullPath') return substitute('^/.*$', modifier.replaceFullPath || '/');
  return modifier ? replacePrefix(prefixOf(match), (modifier.replacePrefixMatch ?? '').replace(/\/+$/, '')) : {};
}

/**
 * Neither prefix ends in a slash here. Envoy replaces what it has matched, which is `/` itself where everything matches, and
 * would leave two slashes or none where the replacement is empty.
 */
function replacePrefix(prefix: string, replacement: string): PathRewrite {
  if (prefix === replacement) return {};
  if (prefix === '') return { prefix_rewrite: `${replacement}/` };
  return replacement === '' ? substitute(`^${regexLiteral(prefix)}/?`, '/') : { prefix_rewrite: replacement };
}

/** The expression sees the path without its query. */
function substitute(regex: string, text: string): PathRewrite {
  return { regex_rewrite: { pattern: { regex }, substitution: text.replaceAll('\\', '\\\\') } };
}
