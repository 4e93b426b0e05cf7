/** What is known of the objects of one kind: which are in force, and what is wrong with them. Pure but for its own state. */

import { isPlain, type Plain, textOf } from '../../kubernetes/plain.js';
import type { Diagnostic } from '../../model/diagnostic.js';
import type { Change, Parser } from '../change.js';
import type { ListTaker } from './list.js';

/** The objects of one kind. The objects themselves are handed on and not kept. */
export interface KindContents {
  /** Takes the present version of an object, and returns what that changes. */
  readonly put: (raw: unknown) => readonly Change[];
  /** Takes an object that is gone. */
  readonly remove: (raw: unknown) => readonly Change[];
  /** Begins to take the list of all objects there are; those that it does not name are gone when it ends. */
  readonly replace: () => ListTaker & { readonly end: () => readonly Change[] };
  /** All that is wrong, by key; the map changes. */
  readonly diagnostics: ReadonlyMap<string, readonly Diagnostic[]>;
  /** What is wrong with objects without which nothing may be served; empty while there are none such. */
  readonly vital: () => readonly Diagnostic[];
  /** How many objects there are, of use to the mesh or not. */
  readonly size: () => number;
}

/** What is kept of an object. */
interface Known {
  readonly uid: string;
  readonly version: string;
  /** A good version of it (its last one, while it is broken), something in its place, or nothing. */
  readonly inForce: 'Good' | 'StandIn' | 'Nothing';
}

const nothing: readonly Change[] = [];

/** No objects. `onDiagnostics` is called whenever the diagnostics differ. */
export function createKindContents(parser: Parser, onDiagnostics: () => void): KindContents {
  const known = new Map<string, Known>();
  const diagnostics = new Map<string, readonly Diagnostic[]>();
  const vital = new Set<string>();
  const isVital = parser.isVital ?? (() => false);

  const explain = (key: string, found: readonly Diagnostic[]) => {
    if (found.length === 0 && !diagnostics.has(key)) return;
    if (found.length > 0) diagnostics.set(key, found);
    else diagnostics.delete(key);
    onDiagnostics();
  };

  const put = (key: string, metadata: Plain, raw: unknown): readonly Change[] => {
    const before = known.get(key);
    const [uid, version] = [textOf(metadata, 'uid'), textOf(metadata, 'resourceVersion')];
    if (before && before.uid === uid && before.version === version) return nothing;
    const { object, diagnostics: found } = parser.parse(raw);
    if (object === undefined && found.some(({ severity }) => severity === 'error')) return takeBroken(key, { uid, version }, raw, found);
    vital.delete(key);
    explain(key, found);
    known.set(key, { uid, version, inForce: object ? 'Good' : 'Nothing' });
    return object ? [object] : noMore(parser.kind, key, before);
  };

  /** Its last good version stays; where none is known, something may have to hold in its place. */
  const takeBroken = (key: string, object: Pick<Known, 'uid' | 'version'>, raw: unknown, found: readonly Diagnostic[]): readonly Change[] => {
    const before = known.get(key);
    if (before?.inForce === 'Good' && (before.uid === object.uid || isVital(key))) {
      explain(key, found);
      known.set(key, { ...object, inForce: 'Good' });
      return nothing;
    }
    const standIn = parser.standIn?.(raw, true) ?? { diagnostics: [] };
    if (isVital(key)) vital.add(key);
    explain(key, [...found, ...standIn.diagnostics]);
    known.set(key, { ...object, inForce: standIn.object ? 'StandIn' : 'Nothing' });
    return standIn.object ? [standIn.object] : noMore(parser.kind, key, before);
  };

  const remove = (key: string): readonly Change[] => {
    const before = known.get(key);
    known.delete(key);
    vital.delete(key);
    explain(key, []);
    return noMore(parser.kind, key, before);
  };

  const named = (raw: unknown, use: (key: string, metadata: Plain) => readonly Change[]): readonly Change[] => {
    const metadata = isPlain(raw) ? raw['metadata'] : undefined;
    const key = isPlain(metadata) ? keyIn(parser, metadata) : '';
    return isPlain(metadata) && key ? use(key, metadata) : nothing;
  };

  const replace = () => {
    let seen = new Set<string>();
    const changes: Change[] = [];
    return {
      begin: () => {
        seen = new Set();
      },
      object: (raw: unknown) => {
        const found = named(raw, (key, metadata) => {
          seen.add(key);
          return put(key, metadata, raw);
        });
        changes.push(...found);
      },
      end: () => [...changes, ...[...known.keys()].filter((key) => !seen.has(key)).flatMap(remove)],
    };
  };

  return {
    put: (raw) => named(raw, (key, metadata) => put(key, metadata, raw)),
    remove: (raw) => named(raw, remove),
    replace,
    diagnostics,
    vital: () => [...vital].flatMap((key) => diagnostics.get(key) ?? []),
    size: () => known.size,
  };
}

function noMore(kind: Parser['kind'], key: string, before: Known | undefined): readonly Change[] {
  return before && before.inForce !== 'Nothing' ? [{ kind, key, object: undefined }] : nothing;
}

/** The key that a change of this object has; empty where it has no name. */
function keyIn({ namespaced }: Parser, metadata: Plain): string {
  const name = textOf(metadata, 'name');
  return namespaced && name ? `${textOf(metadata, 'namespace')}/${name}` : name;
}
