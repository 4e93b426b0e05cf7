/** Authorities for tests: a root of its own, or one below a root, which can be put in the place of another. */

import type { CaMaterial } from '../../src/identity/authority-secret.js';
import { makeAuthority, type Pair, type Validity } from '../../src/identity/x509.js';

/** An authority that can be replaced while it is used. */
export interface TestAuthority {
  readonly current: () => CaMaterial;
  readonly onChange: (listener: () => void) => () => void;
  readonly replace: (next: CaMaterial) => void;
}

/** From an hour ago to an hour, or as long as is given, from now. */
export function validFor(ms = 3_600_000): Validity {
  return { notBefore: Date.now() - 3_600_000, notAfter: Date.now() + ms };
}

/** A new root that signs itself. */
export async function newRoot(validity = validFor()): Promise<CaMaterial> {
  return materialOf(await makeAuthority(validity));
}

/** What a pair is as an authority; the roots are itself, unless given. */
export function materialOf(pair: Pair, bundle = pair.certificate): CaMaterial {
  return { kind: 'authority', ...pair, bundle };
}

/** One that is used, and can be replaced. */
export function testAuthority(first: CaMaterial): TestAuthority {
  const listeners = new Set<() => void>();
  let current = first;
  return {
    current: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    replace: (next) => {
      current = next;
      for (const listener of listeners) listener();
    },
  };
}
