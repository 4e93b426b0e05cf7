/** The endpoints of each Service, kept up to date at the cost of the Services that a change concerns. */
import { isDeepStrictEqual } from 'node:util';
import type { Key } from '../../model/name.js';
import type { Endpoint } from '../../model/service.js';
import type { EndpointSlice } from '../objects/endpoint-slice.js';
import { createIndex, reindex } from './index-map.js';
import { identity, joinEndpoints, joinInputs, type Surroundings } from './join.js';
import { keepElements } from './keep.js';
import { setOrDelete } from './set-or-delete.js';

/** The endpoints of every Service. Changes are marked first and take effect together in `settle`. */
export interface EndpointTable {
  readonly get: (service: Key) => readonly Endpoint[];
  readonly slice: (key: string, slice: EndpointSlice | undefined) => void;
  readonly podChanged: (pod: Key) => void;
  readonly nodeChanged: (node: string) => void;
  /** Joins what is marked anew and calls back for each Service whose endpoints differ. */
  readonly settle: (changed: (service: Key, before: readonly Endpoint[], after: readonly Endpoint[]) => void) => void;
}

interface Inputs {
  readonly pods: ReadonlySet<Key>;
  readonly nodes: ReadonlySet<string>;
}

const none: readonly Endpoint[] = [];
const noInputs: Inputs = { pods: new Set(), nodes: new Set() };

/** A table without endpoints. */
export function createEndpointTable(surroundings: Surroundings): EndpointTable {
  const slices = new Map<string, EndpointSlice>();
  const slicesOf = createIndex<Key, EndpointSlice>();
  const answers = new Map<Key, readonly Endpoint[]>();
  const inputs = new Map<Key, Inputs>();
  const byPod = createIndex<Key, Key>();
  const byNode = createIndex<string, Key>();
  const marked = new Set<Key>();
  const mark = (services: Iterable<Key>) => {
    for (const service of services) marked.add(service);
  };

  const putSlice = (key: string, slice: EndpointSlice | undefined) => {
    const present = slices.get(key);
    if (isDeepStrictEqual(present, slice)) return;
    if (present) slicesOf.delete(present.service, present);
    if (slice) slicesOf.add(slice.service, slice);
    setOrDelete(slices, key, slice);
    mark([present, slice].flatMap((each) => each?.service ?? []));
  };

  const rejoin = (service: Key): readonly Endpoint[] => {
    const own = slicesOf.get(service);
    const before = inputs.get(service) ?? noInputs;
    const after = joinInputs(own, surroundings);
    reindex(byPod, service, before.pods, after.pods);
    reindex(byNode, service, before.nodes, after.nodes);
    const joined = keepElements(answers.get(service) ?? none, joinEndpoints(own, surroundings), identity);
    setOrDelete(inputs, service, own.size > 0 ? after : undefined);
    setOrDelete(answers, service, joined.length > 0 ? joined : undefined);
    return joined;
  };

  return {
    get: (service) => answers.get(service) ?? none,
    slice: putSlice,
    podChanged: (pod) => mark(byPod.get(pod)),
    nodeChanged: (node) => mark(byNode.get(node)),
    settle: (changed) => {
      for (const service of marked) {
        const before = answers.get(service) ?? none;
        const after = rejoin(service);
        if (after !== before) changed(service, before, after);
      }
      marked.clear();
    },
  };
}
