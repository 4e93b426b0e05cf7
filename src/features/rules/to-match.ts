import type { Message, RouteMatch } from '../../envoy/types.js';
import type { BackendContext } from '../feature.js';
import { regexLiteral } from './regex-literal.js';
import type { Match } from './schema.js';

type HeaderMatcher = Message<'envoy.config.route.v3.HeaderMatcher'>;

/** What Envoy must find in a request for this alternative of a rule to hold. */
export function toRouteMatch(match: Match, client: BackendContext['client']): RouteMatch {
  const headers = [
    ...methodMatcher(match.method),
    ...(match.headers ?? []).map((header) => ({ name: header.name.toLowerCase(), string_match: toStringMatch(header) })),
  ];
  const queryParams = (match.queryParams ?? []).map((param) => ({ name: param.name, string_match: toStringMatch(param) }));
  return {
    ...pathMatcher(match.path, client),
    ...(headers.length > 0 ? { headers } : {}),
    ...(queryParams.length > 0 ? { query_parameters: queryParams } : {}),
  };
}

/** The prefix without slashes at its end, which do not count (`/foo/` is `/foo`); empty for `/`. */
export function prefixOf({ path }: Match): string {
  return trimmed(path?.value ?? '/');
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

/** Proxyless gRPC does not know `path_separated_prefix` (gRFC A28), and refuses the route configuration that holds one. */
function pathMatcher(path: Match['path'], client: BackendContext['client']): RouteMatch {
  const { type = 'PathPrefix', value = '/' } = path ?? {};
  if (type === 'Exact') return { path: value };
  if (type === 'RegularExpression') return { safe_regex: { regex: value } };
  const prefix = trimmed(value);
  if (prefix === '') return { prefix: '/' };
  return client === 'grpc' ? { safe_regex: { regex: `${regexLiteral(prefix)}(/.*)?` } } : { path_separated_prefix: prefix };
}

function methodMatcher(method: Match['method']): readonly HeaderMatcher[] {
  return method ? [{ name: ':method', string_match: { exact: method } }] : [];
}

function toStringMatch({ type = 'Exact', value }: NonNullable<Match['headers']>[number]): Message<'envoy.type.matcher.v3.StringMatcher'> {
  return type === 'Exact' ? { exact: value } : { safe_regex: { regex: value } };
}
