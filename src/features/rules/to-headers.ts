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

/** The Host header that these filters set: Envoy refuses to set it as a header, and has a field for it. */
export function toHostRewrite(filters: readonly Filter[]): string | undefined {
  const set = filters.flatMap(({ requestHeaderModifier }) => requestHeaderModifier?.set ?? []).find(({ name }) => isHost(name));
  return filters.find(({ urlRewrite }) => urlRewrite?.hostname)?.urlRewrite?.hostname ?? set?.value;
}

function isHost(name: string | undefined): boolean {
  return name?.toLowerCase() === 'host';
}

function additions({ set = [], add = [] }: Modifier): readonly HeaderValueOption[] {
  return [
    ...set.map(({ name, value }) => option(name, value, 'OVERWRITE_IF_EXISTS_OR_ADD')),
    ...add.map(({ name, value }) => option(name, value, 'APPEND_IF_EXISTS_OR_ADD')),
  ];
}

/** In Envoy a value is a format, in which % begins a command. */
function option(key: string, value: string, action: NonNullable<HeaderValueOption['append_action']>): HeaderValueOption {
  return { header: { key, value: value.replaceAll('%', '%%') }, append_action: action };
}

function some<Name extends keyof HeaderChanges>(name: Name, items: NonNullable<HeaderChanges[Name]>): HeaderChanges {
  return items.length > 0 ? { [name]: items } : {};
}
