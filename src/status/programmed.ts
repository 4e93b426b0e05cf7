/** The condition that follows from what the proxies say. Pure. */
import type { Condition } from './facts.js';
import { noProxies, type ProxyCounts } from './tally.js';

/** Whether the proxies run the policy. `isEnforced` is false for one in Shadow mode. */
export function programmed(generation: number, counts: ProxyCounts = noProxies, isEnforced = true): Condition {
  const { matched, acknowledged } = counts;
  const common = { type: 'Programmed', observedGeneration: generation } as const;
  if (!isEnforced) return { ...common, status: 'False', reason: 'Shadow', message: 'in Shadow mode a policy changes nothing' };
  if (matched === 0) {
    const message = 'no connected proxy calls what this policy is about; each is given it at its first call';
    return { ...common, status: 'Unknown', reason: 'NoProxies', message };
  }
  const message = describe(counts, generation);
  if (acknowledged === matched) return { ...common, status: 'True', reason: 'Programmed', message };
  return { ...common, status: 'False', reason: whyNot(counts), message };
}

/** Programmed, for a target for which the policy is not accepted. */
export function notProgrammed(generation: number): Condition {
  return { type: 'Programmed', status: 'False', reason: 'Invalid', message: 'the policy is not accepted', observedGeneration: generation };
}

function whyNot({ rejected, matched }: ProxyCounts): string {
  if (rejected === 0) return 'Pending';
  return rejected === matched ? 'Rejected' : 'PartiallyProgrammed';
}

function describe({ matched, acknowledged, rejected, pending }: ProxyCounts, generation: number): string {
  const rest = [
    ...(rejected > 0 ? [`${rejected} rejected it`] : []),
    ...(pending > 0 ? [`${pending} ${pending === 1 ? 'has' : 'have'} not answered yet`] : []),
  ];
  const run = `${acknowledged} of ${matched} connected ${matched === 1 ? 'proxy runs' : 'proxies run'} generation ${generation}`;
  return [run, ...rest].join('; ');
}
