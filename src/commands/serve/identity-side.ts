/** How it stands with certificates, in the eyes of this replica: its part of `/status`, by which `weft ca` goes on. */
import type { Ca } from '../../identity/ca.js';
import { fingerprintIn, fingerprintOf, readCertificates } from '../../identity/pem.js';
import type { IdentityView } from '../../identity/rotation-decision.js';
import type { Secrets } from '../../identity/secrets.js';
import { leafName, rootsName } from '../../model/secret-names.js';
import { heldResources } from '../../serve/csds.js';
import type { Connection, Registry } from '../../serve/registry.js';
import type { Store } from '../../sources/store.js';
import { meshedNamespaces } from './trust.js';

/** What a replica says: nothing of keys. */
export interface IdentitySide extends IdentityView {
  /** All pods with a sidecar, connected here or not. */
  readonly sidecars: readonly string[];
  /** The namespaces that are to have the ConfigMap `weft-ca`. */
  readonly namespaces: readonly string[];
}

/** Where it comes from. */
export interface IdentitySources {
  readonly ca: Pick<Ca, 'current'>;
  readonly secrets: Pick<Secrets, 'issuerOf'>;
  readonly registry: Pick<Registry, 'connections'>;
  readonly store: Pick<Store, 'pods' | 'namespaces'>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Counts the proxies that have asked for certificates, and sidecars that have come back and not asked yet; others have no use for them. */
export function identitySide({ ca, secrets, registry, store, clock }: IdentitySources): IdentitySide {
  const { certificate, bundle } = ca.current();
  const signer = fingerprintIn(certificate);
  const sidecars = [...store.pods()].filter(({ proxy, addresses }) => proxy === 'Injected' && addresses.length > 0).map(({ key }) => String(key));
  const own = new Set(sidecars);
  const all = [...registry.connections()].filter(({ client, node }) => client.types.has('Secret') || own.has(node.id ?? ''));
  const idsOf = (connections: readonly Connection[]) => connections.map(({ node }) => node.id ?? '');
  return {
    signer,
    roots: readCertificates(bundle).map(fingerprintOf),
    time: clock(),
    proxies: all.length,
    untrusting: idsOf(all.filter((connection) => !isTrusting(connection))),
    unrenewed: idsOf(all.filter((connection) => !isRenewed(connection, secrets, signer))),
    sidecars: sidecars.sort(),
    namespaces: meshedNamespaces(store),
  };
}

/** Whether it has acknowledged the roots as they are now. */
function isTrusting({ client }: Connection): boolean {
  return heldResources(client).some(({ type, name, state }) => type === 'Secret' && name === rootsName && state === 'Synced');
}

/** Whether the certificate that it has acknowledged last is of this signer. */
function isRenewed({ client }: Connection, { issuerOf }: Pick<Secrets, 'issuerOf'>, signer: string): boolean {
  const leaf = client.types.get('Secret')?.confirmed.get(leafName)?.resource;
  return leaf !== undefined && issuerOf(leaf.message) === signer;
}
