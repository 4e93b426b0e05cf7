/** Where the authority is that `weft ca` looks after: a Secret of a cluster, or a folder on this machine. */
import { stat } from 'node:fs/promises';
import { readFolder, replaceFolder } from '../../identity/folder-store.js';
import type { MeshView, ReplicaView, TrustView } from '../../identity/rotation-decision.js';
import type { RotationStep, StoredAuthority } from '../../identity/rotation-plan.js';
import { type FoundSecret, nameOfSecret, readSecret, writeSecret } from '../../identity/secret-store.js';
import { publishedTrust } from '../../identity/trust-config-maps.js';
import { fetchStatus } from '../status-fetch.js';
import { askReplicas, type Reach, type ReplicaPage } from '../status-replicas.js';
import type { Status } from '../status-report.js';

/** An authority and the mesh that it is of. */
export interface AuthorityPlace {
  /** As people call it. */
  readonly name: string;
  /** Rejects when it cannot be read. */
  readonly read: () => Promise<Held>;
  readonly mesh: () => Promise<MeshView>;
}

/** What was read, and how it is changed. */
export interface Held extends StoredAuthority {
  /** Who else writes it, and what to do there; undefined when nobody does. */
  readonly owner?: string | undefined;
  /** False when somebody else has changed it meanwhile. */
  readonly write: (step: RotationStep) => Promise<boolean>;
}

/** The Secret `weft-ca`, with the rights of whoever calls: get and update on it, list on ConfigMaps, and what `weft status` needs. */
export function clusterPlace(reach: Reach): AuthorityPlace {
  const { client, namespace } = reach;
  const place = { client, namespace, secret: 'weft-ca' };
  return {
    name: `Secret ${nameOfSecret(place)}`,
    read: async () => {
      const found = await readSecret(place);
      return { ...found, owner: ownerOf(found), write: (step) => writeSecret(place, found.object, step) };
    },
    mesh: async () => {
      const [answers, list] = await Promise.all([askReplicas(reach, fetchStatus), publishedTrust(client)]);
      return viewOf(answers, list);
    },
  };
}

function ownerOf({ certificate }: FoundSecret): string | undefined {
  return certificate && `cert-manager writes it for the Certificate ${certificate}; renew it there, and see docs/certificates.md for a new root`;
}

/** The folder of `weft serve --ca`, and that `weft serve` by its admin port. Rejects when there is no such folder. */
export async function folderPlace(folder: string, admin: string): Promise<AuthorityPlace> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new Error(`--ca ${folder} is not there, or is no folder; give that of weft serve --ca`);
  return {
    name: `folder ${folder}`,
    read: async () => {
      const stored = await readFolder(folder);
      return { ...stored, write: (step) => replaceFolder(folder, stored, step) };
    },
    mesh: async () => viewOf([await answerOf(admin)], []),
  };
}

function answerOf(admin: string): Promise<ReplicaPage<Status>> {
  return fetchStatus(admin).then(
    (page) => ({ pod: admin, page }),
    (error: Error) => ({ pod: admin, problem: error.message }),
  );
}

/** Of what was found, only the namespaces that the replicas call meshed count: in others anybody may write such a ConfigMap, until Weft removes it. */
function viewOf(answers: readonly ReplicaPage<Status>[], found: readonly TrustView[]): MeshView {
  const known = answers.flatMap(({ page }) => page?.identities?.namespaces ?? []);
  const meshed = new Set(known.length > 0 ? known : found.map(({ namespace }) => namespace));
  const trust = found.filter(({ namespace }) => meshed.has(namespace));
  const connected = new Set(answers.flatMap(({ page }) => (page?.proxies ?? []).map(({ proxy }) => proxy)));
  const sidecars = new Set(answers.flatMap(({ page }) => page?.identities?.sidecars ?? []));
  const replicas = answers.map(({ pod, page, problem }): ReplicaView => ({ replica: pod, identities: page?.identities, problem }));
  return { replicas, absent: [...sidecars].filter((pod) => !connected.has(pod)).sort(), trust };
}
