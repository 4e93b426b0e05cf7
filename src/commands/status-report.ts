/** The JSON of the admin port's `/status`, which `weft status` shows as tables. */
import type { Diagnostic } from '../model/diagnostic.js';
import { heldResources } from '../serve/csds.js';
import type { Connection, Registry } from '../serve/registry.js';
import { makeReport, type ProxyState, type Report } from '../status/report.js';

/** A report with the problems of the objects themselves. */
export interface Status extends Report {
  readonly diagnostics: readonly Diagnostic[];
}

/** The state of all connected proxies, and what is wrong with the objects. */
export function statusOf(registry: Registry, diagnostics: readonly Diagnostic[]): Status {
  return { ...makeReport([...registry.connections()].map(proxyState)), diagnostics };
}

function proxyState({ node, variant, since, client }: Connection): ProxyState {
  const resources = heldResources(client).map(({ type, name, state, refused }) => ({
    type,
    name,
    state,
    message: refused?.message,
    causes: client.entry(type, name)?.provenance() ?? [],
  }));
  return { id: node.id ?? '', variant, since, resources };
}
