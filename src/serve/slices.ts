/** How many names are looked at in one go, so that a request with very many does not hold up other streams. */
const sliceSize = 200;

/** A list in parts of bounded size. */
export function* slices<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += sliceSize) yield list.slice(start, start + sliceSize);
}
