/** The order of texts in every list: by code unit, so that no locale changes it. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
