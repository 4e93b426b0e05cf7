import { type StanzaProblem, stanzaError } from '../feature.js';
import type { ConsistentHash, LoadBalancing } from './schema.js';

/** What crosses the fields of `loadBalancing`. */
export function check({ type = 'LeastRequest', consistentHash, slowStart }: LoadBalancing): readonly StanzaProblem[] {
  const problems: StanzaProblem[] = [];
  if (type === 'ConsistentHash' && !consistentHash) {
    problems.push(stanzaError('consistentHash', undefined, 'is missing', 'say what is hashed, such as {type: Header, header: {name: x-user}}'));
  }
  if (type !== 'ConsistentHash' && consistentHash) {
    problems.push(stanzaError('consistentHash', consistentHash, `does not go with type ${type}`, 'set type: ConsistentHash, or remove consistentHash'));
  }
  if (slowStart && type !== 'LeastRequest' && type !== 'RoundRobin') {
    problems.push(stanzaError('slowStart', slowStart, `does not go with type ${type}`, 'set type: LeastRequest or RoundRobin, or remove slowStart'));
  }
  return consistentHash ? [...problems, ...checkHash(consistentHash)] : problems;
}

const sources = [
  { type: 'Header', field: 'header' },
  { type: 'Cookie', field: 'cookie' },
  { type: 'QueryParameter', field: 'queryParameter' },
] as const;

function checkHash(hash: ConsistentHash): readonly StanzaProblem[] {
  return sources.flatMap(({ type, field }) => {
    if ((hash.type === type) === (hash[field] !== undefined)) return [];
    const path = `consistentHash.${field}`;
    return hash[field]
      ? [stanzaError(path, hash[field], `does not go with type ${hash.type}`, `set type: ${type}, or remove ${field}`)]
      : [stanzaError(path, undefined, 'is missing', `set ${field}, which type ${type} needs`)];
  });
}
