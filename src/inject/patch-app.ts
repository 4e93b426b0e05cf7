/** The end of the app's own containers: they serve on for a moment when the pod ends. */
import type { Container, PodSpec } from './pod.js';

const usualGraceSeconds = 30;

/** Seconds that the app's containers sleep before they are told to end: the delay, but at most half of what the pod is given to end. */
export function drainSeconds(spec: PodSpec, drainDelayMs: number): number {
  const most = Math.floor((spec.terminationGracePeriodSeconds ?? usualGraceSeconds) / 2);
  return Math.min(Math.ceil(drainDelayMs / 1_000), most);
}

/** The container with a pause before its end, so that nobody calls it any more by then; one with a hook of its own is left alone. */
export function withDrain(container: Container, seconds: number): Container {
  if (seconds <= 0 || container.lifecycle?.['preStop']) return container;
  return { ...container, lifecycle: { ...container.lifecycle, preStop: { sleep: { seconds } } } };
}
