/** The scopes of all classes: found by who a client is, kept for a while after its last client has gone. */
import type { ResourceType } from '../envoy/resource.js';
import { createScope, type Member, type OwnedScope, type Scope } from './scope.js';
import type { Snapshot } from './snapshot.js';

/** Who a client is: equal workloads share what they learn, equal audiences share bytes. */
export interface ClassOf<Audience> {
  readonly workload: string;
  readonly audienceKey: string;
  readonly audience: Audience;
}

/** Finds the scope of a client. */
export interface Scopes<Audience> {
  readonly join: (who: ClassOf<Audience>, member: Member) => Scope;
  readonly leave: (who: ClassOf<Audience>, member: Member) => void;
  readonly size: () => number;
}

/** Bounds of what is remembered. */
export interface ScopeLimits {
  /** Scopes without a client that are kept, the most recently used ones. */
  readonly idle: number;
  /** Names asked in vain, per scope. */
  readonly vain: number;
  /** Names learned, per scope. */
  readonly learned: number;
}

/** Default bounds. */
export const defaultScopeLimits: ScopeLimits = { idle: 256, vain: 16_384, learned: 20_000 };

/** No scopes yet. */
export function createScopes<Audience>(snapshot: Snapshot<Audience>, limits: ScopeLimits = defaultScopeLimits): Scopes<Audience> {
  const scopes = new Map<string, OwnedScope>();
  const byWorkload = new Map<string, Set<OwnedScope>>();
  const idle = new Map<string, string>();

  function create(who: ClassOf<Audience>): OwnedScope {
    const siblings = byWorkload.get(who.workload) ?? new Set<OwnedScope>();
    const share = (type: ResourceType, names: Iterable<string>) => {
      const list = [...names];
      for (const sibling of siblings) sibling.adopt(type, list);
    };
    const scope = createScope({ view: snapshot.view(who.audience), vainLimit: limits.vain, learnedLimit: limits.learned, share });
    for (const { type, name } of [...siblings][0]?.learned() ?? []) scope.adopt(type, [name]);
    byWorkload.set(who.workload, siblings.add(scope));
    return scope;
  }

  function evictIdle(): void {
    for (const [id, workload] of idle) {
      if (idle.size <= limits.idle) return;
      idle.delete(id);
      const scope = scopes.get(id);
      scopes.delete(id);
      if (!scope) continue;
      scope.close();
      const siblings = byWorkload.get(workload);
      siblings?.delete(scope);
      if (siblings?.size === 0) byWorkload.delete(workload);
    }
  }

  return {
    join: (who, member) => {
      const id = idOf(who);
      const scope = scopes.get(id) ?? create(who);
      scopes.set(id, scope);
      idle.delete(id);
      scope.members.add(member);
      return scope;
    },
    leave: (who, member) => {
      const id = idOf(who);
      const scope = scopes.get(id);
      scope?.members.delete(member);
      if (scope?.members.size !== 0) return;
      idle.set(id, who.workload);
      evictIdle();
    },
    size: () => scopes.size,
  };
}

function idOf<Audience>(who: ClassOf<Audience>): string {
  return `${who.workload}\n${who.audienceKey}`;
}
