/** What certificates an Envoy uses, by its own word. */
import type { RunningEnvoy } from '../../src/proxy/run.js';
import { eventually } from '../support/mesh.js';

/** One certificate on Envoy's page `/certs`. */
interface Shown {
  readonly serial_number: string;
  readonly subject_alt_names: readonly { readonly uri?: string }[];
}

/** What is used in the mesh. */
export interface ShownCertificates {
  readonly leaf: Shown;
  /** The serial numbers of the roots. */
  readonly roots: readonly string[];
}

/** Those with which the Envoy takes calls of the mesh, once it has any; those by which it talks to its control plane are files. */
export function certificatesOf({ admin }: Pick<RunningEnvoy, 'admin'>): Promise<ShownCertificates> {
  return eventually(async () => {
    const page: { readonly certificates: readonly Readonly<Record<'ca_cert' | 'cert_chain', readonly (Shown & { readonly path: string })[]>>[] } = JSON.parse(
      await admin('/certs'),
    );
    const all = page.certificates.filter(({ cert_chain }) => cert_chain.some(({ subject_alt_names }) => subject_alt_names.some(({ uri }) => uri)));
    const [first] = all;
    const [leaf] = first?.cert_chain ?? [];
    return leaf && { leaf, roots: (first?.ca_cert ?? []).map(({ serial_number }) => serial_number) };
  });
}
