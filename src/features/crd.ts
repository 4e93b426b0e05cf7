import { apiVersion, specSchema } from './policy-schema.js';
import { statusSchema } from './status-schema.js';
import { structural } from './structural.js';

const [group = '', version = ''] = apiVersion.split('/');

/** The CustomResourceDefinition of TrafficPolicy, from the same schemas that check policies; what `weft crd` prints. */
export function printCrd(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `trafficpolicies.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: 'TrafficPolicy',
        listKind: 'TrafficPolicyList',
        plural: 'trafficpolicies',
        singular: 'trafficpolicy',
        shortNames: ['tp'],
        categories: ['weft'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: objectSchema() },
        },
      ],
    },
  };
}

const columns = [
  { name: 'Target', type: 'string', jsonPath: '.spec.targetRefs[0].name' },
  conditionColumn('Accepted'),
  conditionColumn('Programmed'),
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

function conditionColumn(type: string) {
  return { name: type, type: 'string', jsonPath: `.status.ancestors[0].conditions[?(@.type=="${type}")].status` };
}

function objectSchema() {
  return {
    description: 'How calls to some Services behave, in the vocabulary of the Gateway API.',
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structural(specSchema),
      status: structural(statusSchema),
    },
  };
}
