/** The coordination.k8s.io/v1 Lease as an object. Pure. */

import { fieldOf, isPlain, numberOf, type Plain, textOf } from '../kubernetes/plain.js';
import type { SeenLease } from './lease-decision.js';

/** A Lease, with what is needed to write it back. */
export interface LeaseObject extends Omit<SeenLease, 'seenAt'> {
  /** As the server sent it. */
  readonly raw: Plain;
}

/** Reads what the server sent. One without a duration can be taken at once, as the chart makes it. */
export function readLease(object: unknown): LeaseObject {
  const spec = fieldOf(object, 'spec');
  return {
    holder: textOf(spec, 'holderIdentity'),
    durationMs: numberOf(spec, 'leaseDurationSeconds') * 1000,
    version: textOf(fieldOf(object, 'metadata'), 'resourceVersion'),
    raw: isPlain(object) ? object : {},
  };
}

/** A Lease that belongs to `identity`; `time` is RFC 3339 with microseconds. A change of holder is counted. */
export function heldBy(lease: LeaseObject, identity: string, durationMs: number, time: string): object {
  const before = isPlain(lease.raw['spec']) ? lease.raw['spec'] : {};
  const isSame = lease.holder === identity;
  const leaseTransitions = numberOf(before, 'leaseTransitions') + (isSame ? 0 : 1);
  const acquireTime = isSame ? textOf(before, 'acquireTime') || time : time;
  const spec = { ...before, holderIdentity: identity, leaseDurationSeconds: durationMs / 1000, acquireTime, renewTime: time, leaseTransitions };
  return { ...lease.raw, spec };
}

/** The same Lease for anybody to take. */
export function released(lease: LeaseObject, time: string): object {
  const { holderIdentity: _, ...rest } = isPlain(lease.raw['spec']) ? lease.raw['spec'] : {};
  return { ...lease.raw, spec: { ...rest, leaseDurationSeconds: 1, renewTime: time, acquireTime: time } };
}

/** A new Lease. */
export function newLease(namespace: string, name: string): LeaseObject {
  return { holder: '', durationMs: 0, version: '', raw: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } } };
}

/** As Kubernetes' MicroTime. */
export function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
