/** How much the TrafficPolicies of one namespace may come to: what is beyond that would cost everybody. */
import type { Key } from '../../model/name.js';
import type { TrafficPolicy } from '../../model/policy.js';
import { compareAge } from './order.js';

/** What counts of a namespace. */
export interface Budget {
  readonly policies: number;
  /** In all their stanzas, as JSON. */
  readonly characters: number;
  /** How much of those that do not count is remembered, so that they can take over when there is room. */
  readonly remembered: number;
}

/** Some hundred times what namespaces have. */
export const namespaceBudget: Budget = { policies: 1000, characters: 8 * 1024 * 1024, remembered: 16 * 1024 * 1024 };

/** Which policies count. Changes are made first and take effect together in `settle`. */
export interface BudgetTable {
  readonly replace: (before: TrafficPolicy | undefined, after: TrafficPolicy | undefined) => void;
  readonly settle: (listener: BudgetListener) => void;
  /** The policies that do not count, sorted by key. */
  readonly left: () => readonly Key[];
}

/** What the table tells. */
export interface BudgetListener {
  /** A policy counts now and did not, or no more, or in another version; or something else stands in. */
  readonly changed: (before: TrafficPolicy | undefined, after: TrafficPolicy | undefined) => void;
  /** Of a policy that does not count no more than this is remembered: it counts again when it is read anew. */
  readonly forgotten: (policy: TrafficPolicy) => void;
}

/** What holds in place of all those of a namespace that do not count; undefined where nothing has to. */
export type StandInForMany = (policies: readonly TrafficPolicy[]) => TrafficPolicy | undefined;

interface NamespaceState {
  readonly all: Map<Key, TrafficPolicy>;
  /** Those that count, as the callback was told. */
  inForce: ReadonlyMap<Key, TrafficPolicy>;
  left: readonly TrafficPolicy[];
  standIn: TrafficPolicy | undefined;
}

/** No policies yet. */
export function createBudgetTable(standInFor: StandInForMany, budget: Budget): BudgetTable {
  const namespaces = new Map<string, NamespaceState>();
  const marked = new Set<string>();
  const stateOf = (namespace: string): NamespaceState => {
    const known = namespaces.get(namespace) ?? { all: new Map(), inForce: new Map(), left: [], standIn: undefined };
    namespaces.set(namespace, known);
    return known;
  };
  return {
    replace: (before, after) => {
      if (before) stateOf(before.namespace).all.delete(before.key);
      if (after) stateOf(after.namespace).all.set(after.key, after);
      for (const policy of [before, after]) if (policy) marked.add(policy.namespace);
    },
    settle: (listener) => {
      for (const namespace of marked) {
        const state = stateOf(namespace);
        choose(state, standInFor, budget, listener);
        if (state.all.size === 0) namespaces.delete(namespace);
      }
      marked.clear();
    },
    left: () => [...namespaces.values()].flatMap(({ left }) => left.map(({ key }) => key)).sort(),
  };
}

function choose(state: NamespaceState, standInFor: StandInForMany, budget: Budget, { changed, forgotten }: BudgetListener): void {
  const { inForce, left } = divide([...state.all.values()], budget);
  for (const policy of left) {
    if (state.all.get(policy.key) === policy) continue;
    state.all.set(policy.key, policy);
    forgotten(policy);
  }
  for (const [key, before] of state.inForce) if (inForce.get(key) !== before) changed(before, inForce.get(key));
  for (const [key, after] of inForce) if (!state.inForce.has(key)) changed(undefined, after);
  const isSame = left.length === state.left.length && left.every((policy, index) => policy === state.left[index]);
  const standIn = isSame ? state.standIn : left.length > 0 ? standInFor(left) : undefined;
  if (standIn !== state.standIn) changed(state.standIn, standIn);
  Object.assign(state, { inForce, left, standIn });
}

/** The oldest count, so that nobody loses a policy by what was written after it. */
function divide(policies: readonly TrafficPolicy[], budget: Budget) {
  const characters = policies.reduce((sum, policy) => sum + sizeOf(policy), 0);
  const isWithin = policies.length <= budget.policies && characters <= budget.characters;
  const sorted = isWithin ? policies : policies.toSorted(compareAge);
  const whole = sorted.filter((policy) => !hollow.has(policy));
  const count = fitting(whole, budget.policies, budget.characters);
  const left = [...whole.slice(count), ...sorted.filter((policy) => hollow.has(policy))];
  const kept = fitting(left, Number.POSITIVE_INFINITY, budget.remembered);
  return {
    inForce: new Map(whole.slice(0, count).map((policy) => [policy.key, policy])),
    left: left.map((policy, index) => (index < kept || hollow.has(policy) ? policy : hollowed(policy))),
  };
}

/** How many, from the first on, fit. */
function fitting(policies: readonly TrafficPolicy[], most: number, characters: number): number {
  let rest = characters;
  const beyond = policies.findIndex((policy, index) => {
    rest -= sizeOf(policy);
    return index >= most || rest < 0;
  });
  return beyond < 0 ? policies.length : beyond;
}

const hollow = new WeakSet<TrafficPolicy>();

/** As many characters of a stanza say whether it protects. */
const telling = 100;

/** The policy without its large stanzas, which never counts. */
function hollowed(policy: TrafficPolicy): TrafficPolicy {
  const entries = Object.entries(policy.stanzas).map(([name, stanza]) => [name, JSON.stringify(stanza).length > telling ? {} : stanza]);
  const rest = { ...policy, stanzas: Object.fromEntries(entries) };
  hollow.add(rest);
  return rest;
}

const sizes = new WeakMap<TrafficPolicy, number>();

function sizeOf(policy: TrafficPolicy): number {
  const known = sizes.get(policy) ?? JSON.stringify(policy.stanzas).length;
  sizes.set(policy, known);
  return known;
}
