/** What has been found out and holds for a while. The least recently used goes first. */

/** Values by key, each until its time. */
export interface VerdictCache<Verdict> {
  readonly get: (key: string) => Verdict | undefined;
  /** `until` is in milliseconds since 1970. */
  readonly set: (key: string, verdict: Verdict, until: number) => void;
  readonly delete: (key: string) => void;
  readonly size: () => number;
}

/** An empty cache of at most `capacity` verdicts. */
export function createVerdictCache<Verdict>(capacity: number, clock: () => number): VerdictCache<Verdict> {
  const known = new Map<string, { readonly verdict: Verdict; readonly until: number }>();
  return {
    get: (key) => {
      const found = known.get(key);
      known.delete(key);
      if (!found || found.until <= clock()) return undefined;
      known.set(key, found);
      return found.verdict;
    },
    set: (key, verdict, until) => {
      known.delete(key);
      known.set(key, { verdict, until });
      const [oldest] = known.keys();
      if (known.size > capacity && oldest !== undefined) known.delete(oldest);
    },
    delete: (key) => void known.delete(key),
    size: () => known.size,
  };
}
