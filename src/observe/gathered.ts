/** Words for the log that somebody else decides the number of: what repeats within a second is told twice, at once and with how often it came. */

/** How entries are told. */
export interface GatheredOptions<Entry> {
  /** Equal for entries of which one stands for all. */
  readonly keyOf: (entry: Entry) => string;
  /** Tells of an entry, and of how many like it that were not told before. */
  readonly tell: (entry: Entry, more: number) => void;
  /** How many different entries are told in a second; of the others only the last is, with their number. 50 unless given. */
  readonly most?: number | undefined;
}

const intervalMs = 1_000;

/** What to call for each entry. */
export function createGathered<Entry>({ keyOf, tell, most = 50 }: GatheredOptions<Entry>): (entry: Entry) => void {
  let untold = new Map<string, { readonly entry: Entry; readonly count: number }>();
  const settle = () => {
    const due = untold;
    untold = new Map();
    for (const { entry, count } of due.values()) if (count > 0) tell(entry, count - 1);
  };
  return (entry) => {
    if (untold.size === 0) setTimeout(settle, intervalMs).unref();
    const key = keyOf(entry);
    const isOther = !untold.has(key) && untold.size >= most;
    const before = untold.get(isOther ? '' : key);
    if (before || isOther) return void untold.set(isOther ? '' : key, { entry, count: (before?.count ?? 0) + 1 });
    untold.set(key, { entry, count: 0 });
    tell(entry, 0);
  };
}
