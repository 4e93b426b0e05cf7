import type { TrafficPolicy } from '../../model/policy.js';

/** The order of texts in every list: by code unit, so that no locale changes it. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Oldest first; an unknown age counts as youngest; then by key. RFC 3339 in UTC, as Kubernetes writes it, sorts as text. */
export function compareAge(a: TrafficPolicy, b: TrafficPolicy): number {
  if (a.creationTimestamp !== b.creationTimestamp && (a.creationTimestamp === '' || b.creationTimestamp === '')) return a.creationTimestamp === '' ? 1 : -1;
  return compareText(a.creationTimestamp, b.creationTimestamp) || compareText(a.key, b.key);
}
