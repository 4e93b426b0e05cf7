/** EndpointSlice (discovery.k8s.io/v1). */
import { type StaticEncode, Type } from 'typebox';
import type { Diagnostic } from '../../model/diagnostic.js';
import { type Key, keyOf, type ObjectRef } from '../../model/name.js';
import type { Parsed } from '../change.js';
import { canonicalAddress } from './address.js';
import { checker, invalid } from './check.js';
import { flag, metadata, portNumber, text, transport, words } from './fields.js';
import { refOf } from './plain.js';

/** Some of the endpoints of a Service. */
export interface EndpointSlice {
  readonly key: Key;
  /** The Service that they belong to. */
  readonly service: Key;
  readonly endpoints: readonly SliceEndpoint[];
}

/** One address of an EndpointSlice, not yet joined with its Pod. */
export interface SliceEndpoint {
  readonly address: string;
  /** By the name of the Service's port; all endpoints of a slice share one map. */
  readonly ports: ReadonlyMap<string, number>;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Empty where the slice does not say. */
  readonly zone: string;
  /** Empty where the slice does not say. */
  readonly node: string;
  readonly pod?: Key | undefined;
}

const serviceLabel = 'kubernetes.io/service-name';

const conditions = Type.Object(
  { ready: Type.Optional(flag), serving: Type.Optional(flag), terminating: Type.Optional(flag) },
  words('a map of conditions', 'write ready, serving or terminating with true or false'),
);

const targetRef = Type.Object(
  {
    kind: Type.Optional(text('the kind of an object', 'write Pod')),
    name: Type.Optional(text('the name of a Pod', 'write the name of the Pod')),
    namespace: Type.Optional(text('the name of a namespace', 'write the namespace of the Pod, or leave the field out')),
  },
  words('a reference to an object', 'write a map with kind and name'),
);

const endpoint = Type.Object(
  {
    addresses: Type.Array(text('an IP address', 'write an IP address'), words('a list of IP addresses', 'write the addresses as a list')),
    conditions: Type.Optional(conditions),
    zone: Type.Optional(text('the name of a zone', 'write the name as text')),
    nodeName: Type.Optional(text('the name of a Node', 'write the name as text')),
    targetRef: Type.Optional(targetRef),
  },
  words('an endpoint', 'write a map with at least the addresses'),
);

const port = Type.Object(
  {
    name: Type.Optional(text("the name of the Service's port", 'write the name as text')),
    port: Type.Optional(portNumber),
    protocol: Type.Optional(transport),
  },
  words('a port', 'write a map with name and port'),
);

const addressType = Type.Enum(['IPv4', 'IPv6', 'FQDN'], words('IPv4, IPv6 or FQDN', 'write IPv4 or IPv6, whichever the addresses are'));

const schema = Type.Object(
  {
    metadata,
    addressType,
    endpoints: Type.Optional(Type.Array(endpoint, words('a list of endpoints', 'write one "- addresses: [...]" for each endpoint'))),
    ports: Type.Optional(Type.Array(port, words('a list of ports', 'write one "- {name: NAME, port: NUMBER}" for each port'))),
  },
  words('an object', 'write an EndpointSlice'),
);

type Raw = StaticEncode<typeof schema>;
type RawEndpoint = NonNullable<Raw['endpoints']>[number];

const check = checker(schema);

/** Parses an EndpointSlice. One that names no Service, or holds host names, is left out with a warning. */
export function parseEndpointSlice(raw: unknown): Parsed<EndpointSlice> {
  const ref = refOf('EndpointSlice', true, raw);
  const { value, diagnostics } = check(raw, ref);
  if (!value) return { diagnostics };
  const service = value.metadata.labels?.[serviceLabel];
  if (!service) return { diagnostics: [noService(ref)] };
  if (value.addressType === 'FQDN') return { diagnostics: [hostNames(ref)] };
  const problems = addressProblems(ref, value);
  if (problems.length > 0) return { diagnostics: problems };
  const ports = portsOf(value);
  const endpoints = (value.endpoints ?? []).flatMap((each) => toEndpoints(ref.namespace, each, ports));
  return { object: { key: keyOf(ref.namespace, ref.name), service: keyOf(ref.namespace, service), endpoints }, diagnostics: [] };
}

function portsOf(slice: Raw): ReadonlyMap<string, number> {
  const tcp = (slice.ports ?? []).filter((each) => (each.protocol ?? 'TCP') === 'TCP');
  return new Map(tcp.flatMap((each): readonly [string, number][] => (each.port === undefined ? [] : [[each.name ?? '', each.port]])));
}

/** An unset `ready` means ready, and an unset `serving` means whatever `ready` says (EndpointConditions in the API reference). */
function toEndpoints(namespace: string, raw: RawEndpoint, ports: ReadonlyMap<string, number>): readonly SliceEndpoint[] {
  const ready = raw.conditions?.ready ?? true;
  const shared = {
    ports,
    ready,
    serving: raw.conditions?.serving ?? ready,
    terminating: raw.conditions?.terminating ?? false,
    zone: raw.zone ?? '',
    node: raw.nodeName ?? '',
    pod: podOf(namespace, raw),
  };
  return raw.addresses.flatMap((text) => {
    const address = canonicalAddress(text);
    return address === undefined ? [] : [{ address, ...shared }];
  });
}

function podOf(namespace: string, { targetRef }: RawEndpoint): Key | undefined {
  if (targetRef?.kind !== 'Pod' || !targetRef.name) return undefined;
  return keyOf(targetRef.namespace || namespace, targetRef.name);
}

function addressProblems(ref: ObjectRef, slice: Raw): readonly Diagnostic[] {
  const isWrong = (address: string) => canonicalAddress(address) === undefined || address.includes(':') !== (slice.addressType === 'IPv6');
  return (slice.endpoints ?? []).flatMap(({ addresses }, at) =>
    addresses.flatMap((address, index) => {
      if (!isWrong(address)) return [];
      const field = `endpoints[${at}].addresses[${index}]`;
      return [invalid(ref, field, address, `must be an ${slice.addressType} address`, 'correct the address, or the addressType of the slice')];
    }),
  );
}

function noService(object: ObjectRef): Diagnostic {
  const message = 'is missing, so that these endpoints belong to no Service';
  const remedy = `add the label ${serviceLabel} with the name of the Service`;
  return { severity: 'warning', object, field: `metadata.labels["${serviceLabel}"]`, reason: 'ServiceNotNamed', message, remedy };
}

function hostNames(object: ObjectRef): Diagnostic {
  const message = 'is left out of the mesh: endpoints are IP addresses';
  return {
    severity: 'warning',
    object,
    field: 'addressType',
    value: '"FQDN"',
    reason: 'UnsupportedValue',
    message,
    remedy: 'use addressType IPv4 or IPv6 with addresses',
  };
}
