/** How much rules cost those who carry them out. */
import { type StanzaProblem, stanzaError } from '../feature.js';
import type { Match, Rule } from './schema.js';

/** What some rules hold together. */
interface Size {
  /** Matches; a rule without one counts as if it had one. */
  readonly matches: number;
  readonly sources: number;
  /** Characters in paths and values of headers; each is compared by an expression that a proxy compiles. */
  readonly characters: number;
}

const ofPolicy: Size = { matches: 256, sources: 512, characters: 8192 };

/** For all policies that hold for a port: they make up one filter, which a proxy gets whole. */
const ofPort: Size = { matches: 1024, sources: 2048, characters: 32_768 };

/** What is too much about the rules of one policy. */
export function checkSize(rules: readonly Rule[]): readonly StanzaProblem[] {
  const size = sizeOf(rules);
  return [
    ...tooMany(size.matches, ofPolicy.matches, 'matches', 'write a prefix for many paths, or leave out what the default decides'),
    ...tooMany(size.sources, ofPolicy.sources, 'sources', 'name a namespace or a range of addresses for many sources'),
    ...tooMany(size.characters, ofPolicy.characters, 'characters in paths and values of headers', 'write a prefix for many paths'),
  ];
}

function tooMany(count: number, most: number, what: string, remedy: string): readonly StanzaProblem[] {
  return count > most ? [stanzaError('rules', undefined, `has ${count} ${what} in all its rules, and ${most} are allowed`, remedy)] : [];
}

/** Whether the rules that hold for a port can be carried out. */
export function isBearable(rules: readonly Rule[]): boolean {
  const { matches, sources, characters } = sizeOf(rules);
  return matches <= ofPort.matches && sources <= ofPort.sources && characters <= ofPort.characters;
}

function sizeOf(rules: readonly Rule[]): Size {
  const sum = (of: (rule: Rule) => number) => rules.reduce((total, rule) => total + of(rule), 0);
  return {
    matches: sum(({ matches }) => matches?.length ?? 1),
    sources: sum(({ sources }) => sources?.length ?? 0),
    characters: sum(({ matches = [] }) => matches.reduce((total, match) => total + charactersOf(match), 0)),
  };
}

function charactersOf({ path, headers = [] }: Match): number {
  return headers.reduce((total, { value }) => total + value.length, path?.value?.length ?? 0);
}
