/**
 * What proxies are given to prove who they are and to check others: a certificate of their own each, and the roots. The keys
 * are made here, leave only over the owner's stream, and are in memory only.
 */
import { type Any, typed } from '../envoy/types.js';
import type { Topic } from '../model/mesh.js';
import { leafName, rootsName } from '../model/secret-names.js';
import type { Identity } from '../model/spiffe.js';
import type { Ca } from './ca.js';
import { createSvids, type IdentityRow, type SvidsOptions } from './svids.js';

/** The topic of the roots, the same for all. */
export const rootsTopic: Topic = `secret:${rootsName}`;

/** The topic of the certificate of an identity. */
export function leafTopic({ namespace, serviceAccount }: Identity): Topic {
  return `secret:${namespace}/${serviceAccount}`;
}

/** The Secrets of all identities, as envoy.extensions.transport_sockets.tls.v3.Secret. */
export interface Secrets {
  /** Resolves when there is a certificate of the identity. Rejects with an Error when none can be issued. */
  readonly ensure: (identity: Identity) => Promise<void>;
  /** A stream of the identity has begun: its certificate is kept good until the function that is returned is called. */
  readonly hold: (identity: Identity) => () => void;
  /** `default` is the identity's own certificate, `ROOTCA` the roots; undefined for what is not there (yet), and for every other name. The same object as long as nothing changes. */
  readonly get: (identity: Identity, name: string) => Any | undefined;
  /** Which authority has signed the certificate in this Secret, as `fingerprintIn` tells; undefined for what {@link get} has not made. */
  readonly issuerOf: (secret: Any) => string | undefined;
  /** The certificates that are kept, without their keys, by identity. */
  readonly rows: () => readonly IdentityRow[];
  /** Something that certificates depend on has changed, such as the trust domain. */
  readonly touch: () => void;
  /** Calls the listener with the topics whose Secrets have changed; returns what ends that. */
  readonly onChange: (listener: (topics: ReadonlySet<Topic>) => void) => () => void;
  readonly close: () => void;
}

/** What they are made with. */
export interface SecretsOptions extends Omit<SvidsOptions, 'authority' | 'onRenewed'> {
  readonly ca: Pick<Ca, 'current' | 'onChange'>;
}

/** No identities yet. */
export function createSecrets(options: SecretsOptions): Secrets {
  const { ca } = options;
  const listeners = new Set<(topics: ReadonlySet<Topic>) => void>();
  const tell = (topics: readonly Topic[]) => {
    for (const listener of [...listeners]) listener(new Set(topics));
  };
  const leaves = new WeakMap<object, Any>();
  const issuers = new WeakMap<Any, string>();
  const svids = createSvids({ ...options, authority: ca.current, onRenewed: (identities) => tell(identities.map(leafTopic)) });
  let roots = rootsSecret(ca.current().bundle);
  const stop = ca.onChange(() => {
    const next = rootsSecret(ca.current().bundle);
    if (JSON.stringify(next) !== JSON.stringify(roots)) {
      roots = next;
      tell([rootsTopic]);
    }
    svids.touch();
  });
  return {
    ...{ ensure: svids.ensure, hold: svids.hold, rows: svids.rows, touch: svids.touch },
    get: (identity, name) => {
      if (name === rootsName) return roots;
      const svid = name === leafName ? svids.get(identity) : undefined;
      if (!svid) return undefined;
      const secret = leaves.get(svid) ?? leafSecret(svid.certificate, svid.key);
      leaves.set(svid, secret);
      issuers.set(secret, svid.issuer);
      return secret;
    },
    issuerOf: (secret) => issuers.get(secret),
    onChange: (listener) => {
      const own = (topics: ReadonlySet<Topic>) => listener(topics);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    close: () => {
      stop();
      svids.close();
    },
  };
}

function leafSecret(certificate: string, key: string): Any {
  const tls_certificate = { certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } };
  return typed('envoy.extensions.transport_sockets.tls.v3.Secret', { name: leafName, tls_certificate });
}

function rootsSecret(bundle: string): Any {
  return typed('envoy.extensions.transport_sockets.tls.v3.Secret', { name: rootsName, validation_context: { trusted_ca: { inline_string: bundle } } });
}
