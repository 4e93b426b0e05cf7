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

/** The parser for `weft.dev/v1alpha1/TrafficPolicy`; the schema is the compiler's, so the function comes from the caller. */
export function trafficPolicyParser(parse: (raw: unknown) => Parsed<TrafficPolicy>): Parser {
  return parser('TrafficPolicy', true, parse, (object) => ({ kind: 'TrafficPolicy', key: object.key, object }));
}

/** The parser for `weft.dev/v1alpha1/Mesh`, likewise; whatever it accepts is the Mesh named `default`. */
export function meshParser(parse: (raw: unknown) => Parsed<MeshConfig>): Parser {
  return parser('Mesh', false, parse, (object) => ({ kind: 'Mesh', key: 'default', object }));
}

function parser<T>(kind: Parser['kind'], namespaced: boolean, parse: (raw: unknown) => Parsed<T>, toChange: (object: T) => Change): Parser {
  return {
    kind,
    namespaced,
    parse: (raw) => {
      const { object, diagnostics } = parse(raw);
      return { object: object === undefined ? undefined : toChange(object), diagnostics };
    },
  };
}
