/** The schema of a Mesh, which holds the settings of the whole mesh. */
import { Type } from 'typebox';
import { defaultMeshConfig } from '../model/mesh-config.js';
import type { CelRule } from './cel.js';
import { type Form, object, oneOf, subdomainPattern, text } from './fields.js';
import { apiVersion, serverMetadata } from './object-schema.js';
import { conditions } from './status-schema.js';
import { telemetrySchema } from './telemetry-schema.js';

const meshName = 'default';

/** That a Mesh has the name of the one that counts. */
export const meshNameRule: CelRule = {
  rule: `self.metadata.name == '${meshName}'`,
  message: `metadata.name must be ${meshName}, since there is one Mesh`,
  remedy: `write ${meshName}`,
};

const trustDomainForm: Form = {
  pattern: subdomainPattern,
  expected: 'a trust domain: lower-case letters, digits, "-" and ".", in parts that begin and end with a letter or digit',
  remedy: 'write a name such as cluster.local or mesh.example.com, without spiffe://',
};

/** The `spec` of a Mesh. */
export const meshSpecSchema = object(
  'The settings of the whole mesh.',
  {
    trustDomain: Type.Optional(
      text('The SPIFFE trust domain, in which all identities of the mesh are. It stays as it was when the Mesh was made.', {
        max: 253,
        form: trustDomainForm,
        default: defaultMeshConfig.trustDomain,
      }),
    ),
    egress: Type.Optional(
      oneOf(
        'What happens to a call that leads to nothing the mesh knows. Passthrough: it goes where it would without the mesh. RegistryOnly: it is refused.',
        ['Passthrough', 'RegistryOnly'],
        { default: defaultMeshConfig.egress },
      ),
    ),
    mtls: Type.Optional(
      oneOf(
        'Whether pods take plaintext where no policy says so. Permissive: beside mutual TLS. Strict: mutual TLS only. Pods with a sidecar call each other by mutual TLS in either case.',
        ['Permissive', 'Strict'],
        { default: defaultMeshConfig.mtls },
      ),
    ),
    telemetry: Type.Optional(telemetrySchema),
  },
  {
    rule: 'self.trustDomain == oldSelf.trustDomain',
    field: 'trustDomain',
    message: 'cannot be changed, since identities and certificates are made for it',
    remedy: 'leave it as it was, or delete the Mesh and make another while nothing runs in the mesh',
  },
);

/** The `status` of a Mesh. */
export const meshStatusSchema = object('What became of the settings. Written by Weft.', { conditions: Type.Optional(conditions) });

/** The whole object, as the API server or a file gives it. */
export const meshSchema = object('A Mesh.', {
  apiVersion: Type.Enum([apiVersion]),
  kind: Type.Enum(['Mesh']),
  metadata: Type.Object({ name: Type.Enum([meshName]), ...serverMetadata }),
  spec: Type.Optional(meshSpecSchema),
  status: Type.Optional(Type.Unknown()),
});
