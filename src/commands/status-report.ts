/** The JSON of the admin port's `/status`, which `weft status` shows as tables. */
import type { Diagnostic } from '../model/diagnostic.js';
import type { ProcessFigures } from '../observe/process.js';
import { heldResources } from '../serve/csds.js';
import type { Connection, Registry } from '../serve/registry.js';
import { makeReport, type ProxyState, type Report } from '../status/report.js';

/** What Weft itself costs and does. */
export interface Figures {
  readonly process: ProcessFigures;
  /** How often a resource was compiled since the start. */
  readonly compilations: number;
  /** How many names of resources are kept, over all proxies. */
  readonly names: number;
}

/** A report with the problems of the objects themselves, and the figures of Weft. */
export interface Status extends Report, Figures {
  readonly diagnostics: readonly Diagnostic[];
}

/** The state of all connected proxies, and what is wrong with the objects. */
export function statusOf(registry: Registry, diagnostics: readonly Diagnostic[], figures: Figures): Status {
  return { ...figures, ...makeReport([...registry.connections()].map(proxyState)), diagnostics };
}

function proxyState({ node, variant, since, client, counters: { requests, responses, bytes } }: Connection): ProxyState {
  const resources = heldResources(client).map(({ type, name, state, refused }) => ({
    type,
    name,
    state,
    message: refused?.message,
    causes: client.entry(type, name)?.provenance() ?? [],
  }));
  return { id: node.id ?? '', variant, since, traffic: { requests, responses, bytes }, resources };
}
