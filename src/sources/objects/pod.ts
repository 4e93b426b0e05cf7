/** Pod (v1). */
import { type StaticEncode, Type } from 'typebox';
import { keyOf } from '../../model/name.js';
import type { Pod } from '../../model/workload.js';
import type { Parsed } from '../change.js';
import { canonicalAddress } from './address.js';
import { checker } from './check.js';
import { flag, metadata, portNumber, text, transport, words } from './fields.js';
import { refOf } from './plain.js';

const containerPort = Type.Object(
  { name: Type.Optional(text('the name of the port', 'write the name as text')), containerPort: portNumber, protocol: Type.Optional(transport) },
  words('a container port', 'write a map with containerPort'),
);

const containers = Type.Array(
  Type.Object(
    {
      name: Type.Optional(text('the name of the container', 'write the name as text')),
      ports: Type.Optional(Type.Array(containerPort, words('a list of ports', 'write one "- containerPort: NUMBER" for each port'))),
    },
    words('a container', 'write a map'),
  ),
  words('a list of containers', 'write one "- name: NAME" for each container'),
);

const podIP = text('an IP address', 'write an IP address');

const schema = Type.Object(
  {
    metadata,
    spec: Type.Optional(
      Type.Object(
        {
          serviceAccountName: Type.Optional(text('the name of a ServiceAccount', 'write the name, or leave the field out for default')),
          hostNetwork: Type.Optional(flag),
          nodeName: Type.Optional(text('the name of a Node', 'write the name of the Node')),
          initContainers: Type.Optional(containers),
          containers: Type.Optional(containers),
        },
        words('a map', 'write the spec of the Pod'),
      ),
    ),
    status: Type.Optional(
      Type.Object(
        {
          phase: Type.Optional(text('a phase', 'write Running')),
          podIP: Type.Optional(podIP),
          podIPs: Type.Optional(
            Type.Array(
              Type.Object({ ip: Type.Optional(podIP) }, words('a map with an ip', 'write {ip: ADDRESS}')),
              words('a list', 'write a list of {ip: ADDRESS}'),
            ),
          ),
        },
        words('a map', 'write the status of the Pod, or leave it out'),
      ),
    ),
  },
  words('an object', 'write a Pod'),
);

type Raw = StaticEncode<typeof schema>;

const check = checker(schema);

/** Parses a Pod. One that has run to its end keeps no address, since another Pod may have it by now. */
export function parsePod(raw: unknown): Parsed<Pod> {
  const ref = refOf('Pod', true, raw);
  const { value, diagnostics } = check(raw, ref);
  if (!value) return { diagnostics };
  const { namespace, name } = ref;
  const object = {
    key: keyOf(namespace, name),
    namespace,
    name,
    addresses: addressesOf(value),
    labels: value.metadata.labels ?? {},
    serviceAccount: value.spec?.serviceAccountName || 'default',
    node: value.spec?.nodeName ?? '',
    ports: portsOf(value),
    uid: value.metadata.uid ?? '',
    created: value.metadata.creationTimestamp ?? '',
    hostNetwork: value.spec?.hostNetwork ?? false,
    proxy: proxyOf(value),
  };
  return { object, diagnostics: [] };
}

/** The name of the sidecar's container, as the injector makes it. */
const proxyContainer = 'weft-proxy';

function proxyOf({ spec }: Raw): Pod['proxy'] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(({ name }) => name === proxyContainer) ? 'Injected' : 'None';
}

function addressesOf({ status }: Raw): readonly string[] {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return [];
  const all = [status?.podIP ?? '', ...(status?.podIPs ?? []).map(({ ip }) => ip ?? '')];
  return [...new Set(all.flatMap((address) => canonicalAddress(address) ?? []))];
}

/** The app's containers come last, so that theirs wins over the port of the same name in an init container. */
function portsOf({ spec }: Raw): ReadonlyMap<string, number> {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap(({ ports }) => ports ?? []);
  const tcp = all.filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
  return new Map(tcp.flatMap(({ name, containerPort }): readonly [string, number][] => (name ? [[name, containerPort]] : [])));
}
