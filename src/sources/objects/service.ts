/** Service (v1). */
import { type StaticEncode, Type } from 'typebox';
import type { Diagnostic } from '../../model/diagnostic.js';
import { keyOf, type ObjectRef } from '../../model/name.js';
import type { Service, ServicePort } from '../../model/service.js';
import type { Parsed } from '../change.js';
import { canonicalAddress } from './address.js';
import { checker, invalid } from './check.js';
import { flag, labels, metadata, portNumber, text, transport, words } from './fields.js';
import { refOf } from './plain.js';
import { detectProtocol } from './protocol.js';

const targetPortName = Type.String({ pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 15 });
const targetPort = Type.Union(
  [Type.Integer({ minimum: 1, maximum: 65_535 }), targetPortName],
  words('a port number from 1 to 65535 or the name of a container port', 'write the number or the name of the port that the container listens on'),
);

const port = Type.Object(
  {
    name: Type.Optional(text('the name of the port', 'write the name as text')),
    port: portNumber,
    targetPort: Type.Optional(targetPort),
    protocol: Type.Optional(transport),
    appProtocol: Type.Optional(text('the name of a protocol', 'write a protocol such as http, grpc or tcp')),
  },
  words('a port', 'write a map with at least the port number'),
);

const clusterIPWords = words('an IP address or None', 'write the IP address, None for a headless Service, or leave the field out');
const clusterIP = Type.String(clusterIPWords);

const spec = Type.Object(
  {
    type: Type.Optional(
      Type.Enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'], words('ClusterIP, NodePort, LoadBalancer or ExternalName', 'write ClusterIP')),
    ),
    clusterIP: Type.Optional(clusterIP),
    clusterIPs: Type.Optional(Type.Array(clusterIP, words('a list of IP addresses', 'write the addresses as a list'))),
    ports: Type.Optional(Type.Array(port, words('a list of ports', 'write one "- port: NUMBER" for each port'))),
    publishNotReadyAddresses: Type.Optional(flag),
    selector: Type.Optional(labels),
  },
  words('a map', 'add a spec with the ports of the Service'),
);

type Spec = StaticEncode<typeof spec>;

/** It is a label of a host name, and of the names of clusters, in which a dot divides it from the namespace. */
const name = Type.String({
  ...words('a name of lower-case letters, digits and "-", at most 63 long', 'give the Service a name such as reviews'),
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  maxLength: 63,
});
const serviceMetadata = Type.Object({ ...metadata.properties, name }, words('a map with at least a name', 'add metadata with the name of the Service'));

const check = checker(Type.Object({ metadata: serviceMetadata, spec }, words('an object', 'write a Service')));

/** Parses a Service. ExternalName Services are left out with a warning, ports that are not TCP without one. */
export function parseService(raw: unknown): Parsed<Service> {
  const ref = refOf('Service', true, raw);
  const { value, diagnostics } = check(raw, ref);
  if (!value) return { diagnostics };
  if (value.spec.type === 'ExternalName') return { diagnostics: [externalName(ref)] };
  const problems = [...addressProblems(ref, value.spec), ...portProblems(ref, value.spec)];
  if (problems.length > 0) return { diagnostics: problems };
  const { namespace, name } = ref;
  const object = {
    key: keyOf(namespace, name),
    namespace,
    name,
    clusterIPs: [...new Set(clusterIPs(value.spec).flatMap(({ address }) => canonicalAddress(address) ?? []))],
    ports: (value.spec.ports ?? []).filter((each) => (each.protocol ?? 'TCP') === 'TCP').map(toPort),
    publishNotReadyAddresses: value.spec.publishNotReadyAddresses ?? false,
    selector: value.spec.selector ?? {},
    creationTimestamp: value.metadata.creationTimestamp ?? '',
  };
  return { object, diagnostics: [] };
}

function toPort(port: NonNullable<Spec['ports']>[number]): ServicePort {
  return { name: port.name ?? '', port: port.port, targetPort: port.targetPort ?? port.port, ...detectProtocol(port) };
}

/** The cluster IPs with their fields; `None` and the empty text say that there is none. */
function clusterIPs(spec: Spec): readonly { readonly address: string; readonly field: string }[] {
  const several = (spec.clusterIPs ?? []).map((address, index) => ({ address, field: `spec.clusterIPs[${index}]` }));
  const all = several.length > 0 ? several : [{ address: spec.clusterIP ?? '', field: 'spec.clusterIP' }];
  return all.filter(({ address }) => address !== '' && address !== 'None');
}

function addressProblems(ref: ObjectRef, spec: Spec): readonly Diagnostic[] {
  const wrong = clusterIPs(spec).filter(({ address }) => canonicalAddress(address) === undefined);
  return wrong.map(({ address, field }) => invalid(ref, field, address, `must be ${clusterIPWords.expected}`, clusterIPWords.remedy));
}

/** What the API server would refuse: endpoints are found by the port's name, so names must tell the ports apart. */
function portProblems(ref: ObjectRef, spec: Spec): readonly Diagnostic[] {
  const ports = spec.ports ?? [];
  const firstWithName = new Map<string, number>();
  const firstWithNumber = new Map<string, number>();
  return ports.flatMap((port, index) => {
    const name = port.name ?? '';
    const number = `${port.protocol ?? 'TCP'} ${port.port}`;
    const sameName = firstWithName.get(name);
    const sameNumber = firstWithNumber.get(number);
    firstWithName.set(name, sameName ?? index);
    firstWithNumber.set(number, sameNumber ?? index);
    const at = `spec.ports[${index}]`;
    if (name === '' && ports.length > 1)
      return [invalid(ref, `${at}.name`, undefined, 'is missing, and the Service has several ports', 'name every port, such as http-web')];
    if (sameName !== undefined) return [invalid(ref, `${at}.name`, name, `is the name of spec.ports[${sameName}] too`, 'give every port a name of its own')];
    if (sameNumber !== undefined)
      return [invalid(ref, `${at}.port`, port.port, `is the number of spec.ports[${sameNumber}] too`, 'give every port a number of its own')];
    return [];
  });
}

function externalName(object: ObjectRef): Diagnostic {
  return {
    severity: 'warning',
    object,
    field: 'spec.type',
    value: '"ExternalName"',
    reason: 'UnsupportedValue',
    message: 'is left out of the mesh: calls to this name go to the outside as they are',
    remedy: 'use a Service with a cluster IP and EndpointSlices to mesh the calls',
  };
}
