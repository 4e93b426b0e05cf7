/** A steady load from inside the cluster. */
import assert from 'node:assert/strict';
import { countPort, type LoadCount, type LoadTarget } from '../apps/load.js';
import { get } from './calls.js';
import { apply, waitFor } from './kubectl.js';
import { pod } from './manifests.js';

/** A load under way. */
export interface Load {
  /** What became of the requests since the last count; waits for those under way. */
  readonly count: () => Promise<LoadCount>;
  /** Does something under the load, prints the figures of that time, and asserts that no request failed. */
  readonly unharmed: (what: string, act: () => Promise<void>) => Promise<LoadCount>;
}

/** Starts a pod, named `load` unless given, that sends requests until its namespace goes. */
export async function startLoad(namespace: string, targets: readonly LoadTarget[], name = 'load'): Promise<Load> {
  await apply([pod(namespace, { name, args: ['load', JSON.stringify(targets)] })]);
  await waitFor(namespace, `pod/${name}`, 'condition=Ready');
  let whole = nothing;
  const count = async (): Promise<LoadCount> => {
    const { status, body } = await get({ namespace, pod: name }, `http://127.0.0.1:${countPort}/`, { insist: true });
    assert.equal(status, 200, body);
    const counted: LoadCount = JSON.parse(body);
    whole = sum(whole, counted);
    return counted;
  };
  return {
    count,
    unharmed: async (what, act) => {
      await count();
      whole = nothing;
      const begin = performance.now();
      await act();
      await count();
      const counted = whole;
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      process.stdout.write(`# ${what}: ${counted.sent} requests in ${seconds} s, ${counted.failed} failed, slowest ${counted.slowestMs} ms\n`);
      assert.ok(counted.sent > 0, 'there was no load');
      assert.deepEqual(counted.failures, {}, `requests failed while: ${what}`);
      return counted;
    },
  };
}

const nothing: LoadCount = { sent: 0, failed: 0, failures: {}, versions: {}, revisions: {}, slowestMs: 0 };

function sum(a: LoadCount, b: LoadCount): LoadCount {
  return {
    sent: a.sent + b.sent,
    failed: a.failed + b.failed,
    failures: allFailures(a.failures, b.failures),
    versions: added(a.versions, b.versions),
    revisions: added(a.revisions, b.revisions),
    slowestMs: Math.max(a.slowestMs, b.slowestMs),
  };
}

function added(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(keys.map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]));
}

type Failures = LoadCount['failures'];

function allFailures(earlier: Failures, later: Failures): Failures {
  const sums = Object.entries(later).map(([kind, { count, first }]) => [
    kind,
    { count: count + (earlier[kind]?.count ?? 0), first: earlier[kind]?.first ?? first },
  ]);
  return { ...earlier, ...Object.fromEntries(sums) };
}
