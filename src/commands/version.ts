/** Which Weft this is. */
import { readFileSync } from 'node:fs';

/** The version in package.json. */
export function weftVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return version;
}
