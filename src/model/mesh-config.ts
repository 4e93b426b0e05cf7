import { defaultTelemetry, type Telemetry } from './telemetry.js';

/** What the `Mesh` object says: settings of the whole mesh, which may change while Weft runs. */
export interface MeshConfig {
  /** The SPIFFE trust domain. */
  readonly trustDomain: string;
  /** What happens to a call that leads to nothing the mesh knows: it passes through, or is refused. */
  readonly egress: 'Passthrough' | 'RegistryOnly';
  /** Whether pods take plaintext beside mutual TLS where no policy says so. */
  readonly mtls: 'Permissive' | 'Strict';
  /** What proxies tell of the calls that they carry. */
  readonly telemetry: Telemetry;
}

/** What holds without a Mesh object. */
export const defaultMeshConfig: MeshConfig = { trustDomain: 'cluster.local', egress: 'Passthrough', mtls: 'Permissive', telemetry: defaultTelemetry };
