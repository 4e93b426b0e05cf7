/** The JSON of the admin port's `/status`, which `weft status` shows as tables. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { ProcessFigures } from '../observe/process.js';
import { heldResources } from '../serve/csds.js';
import type { Connection, Registry } from '../serve/registry.js';
import { makeReport, type ProxyState, type Report } from '../status/report.js';
import type { UnmeshedPod } from '../status/unmeshed.js';
import type { IdentitySide } from './serve/identity-side.js';

/** What Weft itself costs and does. */
export interface Figures {
  readonly process: ProcessFigures;
  /** How often a resource was compiled since the start. */
  readonly compilations: number;
  /** How many names of resources are kept, over all proxies. */
  readonly names: number;
}

/** How it stands with the cluster, in the eyes of one replica. */
export interface ClusterSide {
  /** The name of this replica's pod. */
  readonly identity: string;
  /** Who holds the Lease and writes status; empty when nobody does. */
  readonly holder: string;
  readonly unmeshed: readonly UnmeshedPod[];
  /** The kinds of objects that do not arrive at the moment, and why. */
  readonly deaf: readonly { readonly kind: string; readonly problem: string }[];
}

/** A report with the problems of the objects themselves, and the figures of Weft. */
export interface Status extends Report, Figures {
  readonly diagnostics: readonly Diagnostic[];
  /** Left out where the objects come from a folder. */
  readonly cluster?: ClusterSide | undefined;
  /** Left out where there is no authority. */
  readonly identities?: IdentitySide | undefined;
}

/** The state of all connected proxies, and what is wrong with the objects. */
export function statusOf(registry: Registry, diagnostics: readonly Diagnostic[], figures: Figures): Status {
  return { ...figures, ...makeReport([...registry.connections()].map(proxyState)), diagnostics };
}

/** What a connected proxy holds, and what made it. */
export function proxyState({ node, variant, since, client, counters: { requests, responses, bytes } }: Connection): ProxyState {
  const resources = heldResources(client).map(({ type, name, state, refused }) => ({
    type,
    name,
    state,
    message: refused?.message,
    causes: client.entry(type, name)?.provenance() ?? [],
  }));
  return { id: node.id ?? '', variant, since, traffic: { requests, responses, bytes }, resources };
}
