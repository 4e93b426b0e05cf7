/** The CustomResourceDefinitions, printed from the same schemas that check objects. */
import type { TSchema } from 'typebox';
import { defaultMeshConfig } from '../model/mesh-config.js';
import { type CelRule, toValidation } from './cel.js';
import { meshNameRule, meshSpecSchema, meshStatusSchema } from './mesh-schema.js';
import { apiVersion } from './object-schema.js';
import { specSchema } from './policy-schema.js';
import { statusSchema } from './status-schema.js';
import { type StructuralSchema, structural } from './structural.js';

const [group = '', version = ''] = apiVersion.split('/');

/** What `kubectl get` shows in a column. */
interface Column {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 0: always; 1: with `-o wide` only. */
  readonly priority?: 0 | 1;
}

/** A kind of our group. */
interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: TSchema;
  /** What the API server fills in where an object has no spec; without it a spec is required. */
  readonly defaultSpec?: object;
  readonly status: TSchema;
  /** Of the whole object, of whose metadata the API server lets them see `name` only. */
  readonly rules: readonly CelRule[];
  readonly columns: readonly Column[];
}

const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'When it was created.' };

const trafficPolicy: Kind = {
  kind: 'TrafficPolicy',
  plural: 'trafficpolicies',
  scope: 'Namespaced',
  shortNames: ['tp'],
  description: 'How calls to some Services behave, in the vocabulary of the Gateway API.',
  spec: specSchema,
  status: statusSchema,
  rules: [],
  columns: [
    { name: 'Target', type: 'string', jsonPath: '.spec.targetRefs[0].name', description: 'The first of the Services or Namespaces that it is about.' },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode', description: 'Whether it takes effect.', priority: 1 },
    policyColumn('Accepted', 'status', 'Whether it is valid.'),
    policyColumn('Programmed', 'status', 'Whether every proxy that it concerns runs it.'),
    { ...policyColumn('Programmed', 'message', 'What the proxies say.'), name: 'Message', priority: 1 },
    age,
  ],
};

const mesh: Kind = {
  kind: 'Mesh',
  plural: 'meshes',
  scope: 'Cluster',
  shortNames: [],
  description: 'The settings of the whole mesh. There is one, called default; without it the defaults hold.',
  spec: meshSpecSchema,
  defaultSpec: defaultMeshConfig,
  status: meshStatusSchema,
  rules: [meshNameRule],
  columns: [
    { name: 'Trust Domain', type: 'string', jsonPath: '.spec.trustDomain', description: 'The trust domain of all identities.' },
    { name: 'Egress', type: 'string', jsonPath: '.spec.egress', description: 'What happens to calls that leave the mesh.' },
    { name: 'Accepted', type: 'string', jsonPath: '.status.conditions[?(@.type=="Accepted")].status', description: 'Whether it is valid.' },
    age,
  ],
};

/** Every CustomResourceDefinition of Weft; what `weft crd` prints. */
export function printCrds(): readonly object[] {
  return [trafficPolicy, mesh].map(printCrd);
}

function policyColumn(type: string, field: string, description: string): Column {
  return { name: type, type: 'string', jsonPath: `.status.ancestors[0].conditions[?(@.type=="${type}")].${field}`, description };
}

function printCrd(kind: Kind): object {
  const singular = kind.kind.toLowerCase();
  const { shortNames } = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${group}` },
    spec: {
      group,
      scope: kind.scope,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular,
        ...(shortNames.length > 0 ? { shortNames } : {}),
        categories: ['weft', 'weft-api'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns,
          schema: { openAPIV3Schema: objectSchema(kind) },
        },
      ],
    },
  };
}

function objectSchema({ description, spec, defaultSpec, status, rules }: Kind): StructuralSchema {
  return {
    description,
    type: 'object',
    ...(defaultSpec ? {} : { required: ['spec'] }),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { ...structural(spec), ...(defaultSpec ? { default: defaultSpec } : {}) },
      status: structural(status),
    },
    ...(rules.length > 0 ? { 'x-kubernetes-validations': rules.map(toValidation) } : {}),
  };
}
