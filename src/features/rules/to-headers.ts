import type { Message } from '../../envoy/types.js';
import type { Filter } from './schema.js';

type HeaderValueOption = Message<'envoy.config.core.v3.HeaderValueOption'>;
type Modifier = NonNullable<Filter['requestHeaderModifier']>;

/** How Envoy changes headers, in fields that Route and ClusterWeight share; only those that are needed. */
export interface HeaderChanges {
  readonly request_headers_to_add?: readonly HeaderValueOption[];
  readonly request_headers_to_remove?: readonly string[];
  readonly response_headers_to_add?: readonly HeaderValueOption[];
  readonly response_headers_to_remove?: readonly string[];
}

/** The header modifiers among these filters. */
export function toHeaderChanges(filters: readonly Filter[]): HeaderChanges {
  const request = filters.flatMap(({ requestHeaderModifier }) => requestHeaderModifier ?? []);
  const response = filters.flatMap(({ responseHeaderModifier }) => responseHeaderModifier ?? []);
  return {
    ...some(
      'request_headers_to_add',
      request.flatMap(additions).filter(({ header }) => !isHost(header?.key)),
    ),
    ...some(
      'request_headers_to_remove',
      request.flatMap(({ remove = [] }) => remove).filter((name) => !isHost(name)),
    ),
    ...some('response_headers_to_add', response.flatMap(additions)),
    ...some(
      'response_headers_to_remove',
      response.flatMap(({ remove = [] }) => remove),
    ),
  };
}

/**
 * What the filters of a rule and then those of one of its backends do, as one: Envoy would run the backend's first. It also
 * removes before it sets, and sets before it adds, so what a backend sets or removes leaves no trace of the rule's.
 */
export function toBackendHeaderChanges(rule: readonly Filter[], backend: readonly Filter[]): HeaderChanges {
  const [before, after] = [toHeaderChanges(rule), toHeaderChanges(backend)];
  const request = combine(before.request_headers_to_add, after.request_headers_to_add, after.request_headers_to_remove);
  const response = combine(before.response_headers_to_add, after.response_headers_to_add, after.response_headers_to_remove);
  return {
    ...some('request_headers_to_add', request),
    ...some('request_headers_to_remove', [...(before.request_headers_to_remove ?? []), ...(after.request_headers_to_remove ?? [])]),
    ...some('response_headers_to_add', response),
    ...some('response_headers_to_remove', [...(before.response_headers_to_remove ?? []), ...(after.response_headers_to_remove ?? [])]),
  };
}

function combine(before: readonly HeaderValueOption[] = [], after: readonly HeaderValueOption[] = [], removed: readonly string[] = []) {
  const replaced = after.filter(({ append_action }) => append_action === overwrite).map(({ header }) => header?.key ?? '');
  const gone = new Set([...replaced, ...removed].map((name) => name.toLowerCase()));
  return [...before.filter(({ header }) => !gone.has(header?.key?.toLowerCase() ?? '')), ...after];
}

/** The Host header that these filters set: Envoy refuses to set it as a header, and has a field for it. */
export function toHostRewrite(filters: readonly Filter[]): string | undefined {
  const set = filters.flatMap(({ requestHeaderModifier }) => requestHeaderModifier?.set ?? []).find(({ name }) => isHost(name));
  return filters.find(({ urlRewrite }) => urlRewrite?.hostname)?.urlRewrite?.hostname ?? set?.value;
}

const overwrite = 'OVERWRITE_IF_EXISTS_OR_ADD';

function isHost(name: string | undefined): boolean {
  return name?.toLowerCase() === 'host';
}

function additions({ set = [], add = [] }: Modifier): readonly HeaderValueOption[] {
  return [...set.map(({ name, value }) => option(name, value, overwrite)), ...add.map(({ name, value }) => option(name, value, 'APPEND_IF_EXISTS_OR_ADD'))];
}

/** In Envoy a value is a format, in which % begins a command. */
function option(key: string, value: string, action: NonNullable<HeaderValueOption['append_action']>): HeaderValueOption {
  return { header: { key, value: value.replaceAll('%', '%%') }, append_action: action };
}

function some<Name extends keyof HeaderChanges>(name: Name, items: NonNullable<HeaderChanges[Name]>): HeaderChanges {
  return items.length > 0 ? { [name]: items } : {};
}
