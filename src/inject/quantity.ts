/** Quantities as Kubernetes writes them: `100m`, `1.5`, `64Mi`, `1e3`. */

const factors: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['n', 1e-9],
  ['u', 1e-6],
  ['m', 1e-3],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['P', 1e15],
  ['E', 1e18],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
  ['Ti', 2 ** 40],
  ['Pi', 2 ** 50],
  ['Ei', 2 ** 60],
]);

/** The quantity as a number, near enough to compare two; undefined when the text is none, or not above zero. */
export function parseQuantity(text: string): number | undefined {
  const [, digits, suffix = '', exponent] = /^(\d{1,18}(?:\.\d{1,9})?)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/.exec(text) ?? [];
  const value = Number(digits) * (exponent === undefined ? (factors.get(suffix) ?? Number.NaN) : 10 ** Number(exponent));
  return value > 0 ? value : undefined;
}
