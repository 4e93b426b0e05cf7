/** All the files of a folder together: which version of which object is in force. Pure but for its own state. */
import { isDeepStrictEqual } from 'node:util';
import type { Diagnostic, Origin } from '../../model/diagnostic.js';
import { formatRef, type ObjectRef } from '../../model/name.js';
import type { Change } from '../change.js';
import { createIndex } from '../store/index-map.js';
import { compareText } from '../store/order.js';
import { type FileContent, type Item, identify } from './interpret.js';

/** What changed, and all that is wrong now. */
export interface Update {
  readonly changes: readonly Change[];
  /** The whole list, sorted by file and line; the same object while it says the same. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The objects of a folder. */
export interface FolderContents {
  /** Takes what a file says now; undefined when the file is gone. */
  readonly put: (file: string, content: FileContent | undefined) => void;
  /** Whether objects of the file are in force, or waiting behind another file's. */
  readonly holds: (file: string) => boolean;
  /** Where the version of an object begins that is in force. */
  readonly originOf: (object: ObjectRef) => Origin | undefined;
  /** What is wrong with objects without which nothing may be served; empty while there are none such. */
  readonly vital: () => readonly Diagnostic[];
  /** What is wrong with the folder itself rather than with a file; empty when nothing is. */
  readonly setTrouble: (diagnostics: readonly Diagnostic[]) => void;
  /** What changed since the last call. */
  readonly settle: () => Update;
}

interface Held extends Item {
  /** Undefined where nothing is in force, and nothing may be served for that. */
  readonly change: Change | undefined;
  /** Whether this is a good version of the object, the present one or an earlier one. */
  readonly isGood: boolean;
}

type HeldById = ReadonlyMap<string, Held>;

const nothing: HeldById = new Map();

/** A folder without files. */
export function createFolderContents(): FolderContents {
  const held = new Map<string, HeldById>();
  const filesOf = createIndex<string, string>();
  const fileProblems = new Map<string, readonly Diagnostic[]>();
  const duplicates = new Map<string, readonly Diagnostic[]>();
  const standIns = new Map<string, readonly Diagnostic[]>();
  const vital = new Map<string, readonly Diagnostic[]>();
  const inForce = new Map<string, Change>();
  const marked = new Set<string>();
  let trouble: readonly Diagnostic[] = [];
  let diagnostics: readonly Diagnostic[] = [];

  const put = (file: string, content: FileContent | undefined) => {
    const before = held.get(file) ?? nothing;
    const { after, problems } = content ? hold(before, content) : { after: nothing, problems: [] };
    for (const id of before.keys()) filesOf.delete(id, file);
    for (const id of after.keys()) filesOf.add(id, file);
    for (const id of [...before.keys(), ...after.keys()]) marked.add(id);
    if (after.size > 0) held.set(file, after);
    else held.delete(file);
    if (problems.length > 0) fileProblems.set(file, problems);
    else fileProblems.delete(file);
  };

  /** Good versions, or what stands in where there is none. */
  const versionsOf = (id: string): readonly Held[] => {
    const all = [...filesOf.get(id)].sort(compareText).flatMap((file) => held.get(file)?.get(id) ?? []);
    const good = all.filter(({ isGood }) => isGood);
    return good.length > 0 ? good : all.slice(0, 1);
  };

  const choose = (id: string): readonly Change[] => {
    const [winner, ...losers] = versionsOf(id);
    note(
      duplicates,
      id,
      losers.map((loser) => duplicate(loser, winner ?? loser)),
    );
    const missed = winner?.isGood === false ? winner : undefined;
    note(standIns, id, missed?.standIn?.diagnostics ?? []);
    note(vital, id, missed?.vital ?? []);
    const before = inForce.get(id);
    if (isDeepStrictEqual(before, winner?.change)) return [];
    if (winner?.change) inForce.set(id, winner.change);
    else inForce.delete(id);
    if (winner?.change) return [winner.change];
    return before ? [{ ...before, object: undefined }] : [];
  };

  return {
    put,
    holds: (file) => held.has(file),
    originOf: (object) => versionsOf(identify(object))[0]?.origin,
    vital: () => [...vital.values()].flat(),
    setTrouble: (problems) => {
      trouble = problems;
    },
    settle: () => {
      const changes = [...marked].sort(compareText).flatMap(choose);
      marked.clear();
      const current = [...trouble, ...[...fileProblems.values(), ...duplicates.values(), ...standIns.values()].flat().sort(comparePlace)];
      if (!isDeepStrictEqual(current, diagnostics)) diagnostics = current;
      return { changes, diagnostics };
    },
  };
}

/** What the file holds from now on: the new versions, and the old ones of objects that are broken or cannot be told. */
function hold(before: HeldById, { items, diagnostics, isUnsure }: FileContent): { readonly after: HeldById; readonly problems: readonly Diagnostic[] } {
  const after = new Map<string, Held>();
  const seen = new Map<string, Item>();
  const problems = [...diagnostics];
  for (const item of items) {
    const first = seen.get(item.id);
    if (first) problems.push(duplicate(item, first));
    if (first) continue;
    seen.set(item.id, item);
    const version = versionInForce(item, before);
    if (version.change || item.vital) after.set(item.id, { ...item, ...version });
  }
  if (isUnsure) for (const [id, item] of before) if (!seen.has(id)) after.set(id, item);
  return { after, problems };
}

function versionInForce(item: Item, before: HeldById): Pick<Held, 'change' | 'isGood'> {
  if (!item.isBroken) return { change: item.change, isGood: true };
  const last = before.get(item.id);
  return last?.isGood ? { change: last.change, isGood: true } : { change: item.standIn?.object, isGood: false };
}

function note(map: Map<string, readonly Diagnostic[]>, id: string, found: readonly Diagnostic[]): void {
  if (found.length > 0) map.set(id, found);
  else map.delete(id);
}

function duplicate(loser: Item, winner: Item): Diagnostic {
  const message = `is written in ${winner.origin.file}:${winner.origin.line} too, and that one counts`;
  const remedy = `remove one of the two, or rename it; of several ${formatRef(loser.object)} the first by file name counts`;
  return { severity: 'error', object: loser.object, field: '', reason: 'Duplicate', message, remedy, origin: loser.origin };
}

function comparePlace(a: Diagnostic, b: Diagnostic): number {
  return compareText(a.origin?.file ?? '', b.origin?.file ?? '') || (a.origin?.line ?? 0) - (b.origin?.line ?? 0);
}
