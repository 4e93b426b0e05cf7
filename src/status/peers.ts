/** What the replicas of Weft tell each other: on how many of its own proxies each policy is in effect. */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { addCounts, noProxies, type PolicyCounts } from './tally.js';
import type { Timers } from './timers.js';

const count = Type.Integer({ minimum: 0, maximum: 1_000_000 });
const words = (maxLength: number) => Type.String({ maxLength });

const reportSchema = Type.Object({
  policies: Type.Array(
    Type.Object({
      policy: words(320),
      generation: Type.Integer({ minimum: 0 }),
      matched: count,
      acknowledged: count,
      rejected: count,
      pending: count,
      lastRejection: Type.Optional(Type.Object({ proxy: words(512), resource: words(2048), stanza: words(512), message: words(8192) })),
    }),
    { maxItems: 50_000 },
  ),
});

const validator = Compile(reportSchema);

/** The body of `GET /report`. */
export type PeerReport = Static<typeof reportSchema>;

/** What this replica tells: its counts, with the generation of each policy that they are about, within the bounds of the schema. */
export function makePeerReport(rows: readonly PolicyCounts[], generations: ReadonlyMap<string, number>): PeerReport {
  const policies = rows.map(({ lastRejection, ...row }) => ({
    ...row,
    generation: generations.get(row.policy) ?? 0,
    ...(lastRejection
      ? {
          lastRejection: {
            proxy: lastRejection.proxy.slice(0, 512),
            resource: lastRejection.resource.slice(0, 2048),
            stanza: lastRejection.stanza.slice(0, 512),
            message: lastRejection.message.slice(0, 8192),
          },
        }
      : {}),
  }));
  return { policies: policies.slice(0, 50_000) };
}

/** Checks what a peer has answered; undefined for what is no report. */
export function readPeerReport(body: unknown): PeerReport | undefined {
  return validator.Check(body) ? body : undefined;
}

/**
 * The sum over all replicas, by policy. What a replica says of another generation than the one in force here tells nothing of
 * this one: those proxies have yet to answer.
 */
export function addUp(generations: ReadonlyMap<string, number>, reports: readonly PeerReport[]): ReadonlyMap<string, PolicyCounts> {
  const sum = new Map<string, PolicyCounts>();
  for (const { policies } of reports) {
    for (const { generation, ...row } of policies) {
      const current = generations.get(row.policy);
      if (current === undefined) continue;
      const counts = current === generation ? row : { ...noProxies, matched: row.matched, pending: row.matched };
      sum.set(row.policy, addCounts(sum.get(row.policy) ?? { policy: row.policy, ...noProxies }, counts));
    }
  }
  return sum;
}

/** Another replica. */
export interface Peer {
  /** Its name, or its address: the same as long as it is the same replica. */
  readonly id: string;
  /** `10.1.2.3:15017`. */
  readonly address: string;
}

/** What the other replicas have told. */
export interface Peers {
  /** Asks all of them. Never rejects. */
  readonly refresh: () => Promise<void>;
  /** The last report of each that is still there. */
  readonly reports: () => readonly PeerReport[];
}

/** What is needed to ask. */
export interface PeersOptions {
  /** Those that there are now, without this one. */
  readonly peers: () => readonly Peer[];
  /** Asks one, and rejects when it does not answer in a few seconds. */
  readonly fetchReport: (peer: Peer) => Promise<unknown>;
  readonly timers: Timers;
  readonly onError: (peer: Peer, error: unknown) => void;
}

/** A peer that does not answer is taken to have what it told last for this long; its proxies are about to move to others. */
const keptMs = 30_000;

/** Nothing has been asked yet. */
export function createPeers({ peers, fetchReport, timers, onError }: PeersOptions): Peers {
  const last = new Map<string, { readonly report: PeerReport; readonly at: number }>();
  const ask = async (peer: Peer): Promise<void> => {
    try {
      const report = readPeerReport(await fetchReport(peer));
      if (!report) throw new Error('the answer is no report');
      last.set(peer.id, { report, at: timers.now() });
    } catch (error) {
      onError(peer, error);
    }
  };
  return {
    refresh: async () => {
      const present = peers();
      const ids = new Set(present.map(({ id }) => id));
      await Promise.all(present.map(ask));
      for (const [id, { at }] of last) if (timers.now() - at > keptMs || (!ids.has(id) && timers.now() - at > keptMs / 3)) last.delete(id);
    },
    reports: () => [...last.values()].filter(({ at }) => timers.now() - at <= keptMs).map(({ report }) => report),
  };
}
