/** The table of parsers that a source is given. */
import type { MeshConfig } from '../model/mesh-config.js';
import type { TrafficPolicy } from '../model/policy.js';
import type { Change, Parsed, Parser, Parsers } from './change.js';
import { parseEndpointSlice } from './objects/endpoint-slice.js';
import { parseNamespace } from './objects/namespace.js';
import { parseNode } from './objects/node.js';
import { parsePod } from './objects/pod.js';
import { parseService } from './objects/service.js';

/** The kinds of Kubernetes itself that the mesh reads. */
export const kubernetesParsers: Parsers = {
  'v1/Service': parser('Service', true, parseService, (object) => ({ kind: 'Service', key: object.key, object })),
  'discovery.k8s.io/v1/EndpointSlice': parser('EndpointSlice', true, parseEndpointSlice, (object) => ({ kind: 'EndpointSlice', key: object.key, object })),
  'v1/Pod': parser('Pod', true, parsePod, (object) => ({ kind: 'Pod', key: object.key, object })),
  'v1/Namespace': parser('Namespace', false, parseNamespace, (object) => ({ kind: 'Namespace', key: object.name, object })),
  'v1/Node': parser('Node', false, parseNode, (object) => ({ kind: 'Node', key: object.name, object })),
};

/** The parser for `weft.dev/v1alpha1/TrafficPolicy`; the schema is the compiler's, so the functions come from the caller. */
export function trafficPolicyParser(
  parse: (raw: unknown) => Parsed<TrafficPolicy>,
  standIn: (raw: unknown, isWhole: boolean) => Parsed<TrafficPolicy> = () => ({ diagnostics: [] }),
): Parser {
  const toChange = (object: TrafficPolicy): Change => ({ kind: 'TrafficPolicy', key: object.key, object });
  return { ...parser('TrafficPolicy', true, parse, toChange), standIn: (raw, isWhole) => asChange(standIn(raw, isWhole), toChange) };
}

const meshName = 'default';

/** The parser for `weft.dev/v1alpha1/Mesh`, likewise; whatever it accepts is the Mesh named `default`. What that says, nobody may guess. */
export function meshParser(parse: (raw: unknown) => Parsed<MeshConfig>): Parser {
  return { ...parser('Mesh', false, parse, (object) => ({ kind: 'Mesh', key: meshName, object })), isVital: (key) => key === meshName };
}

function parser<T>(kind: Parser['kind'], namespaced: boolean, parse: (raw: unknown) => Parsed<T>, toChange: (object: T) => Change): Parser {
  return { kind, namespaced, parse: (raw) => asChange(parse(raw), toChange) };
}

function asChange<T>({ object, diagnostics }: Parsed<T>, toChange: (object: T) => Change): Parsed<Change> {
  return { object: object === undefined ? undefined : toChange(object), diagnostics };
}
