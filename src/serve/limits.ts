import type { ConnectionLimits } from '../connections/fair-share.js';

/** Bounds that keep one client from costing others their latency or the process its memory. */
export interface ServeLimits extends ConnectionLimits {
  /** The largest request, in bytes. An Envoy that resumes with 10,000 resources sends about 2 MB. */
  readonly requestBytes: number;
  /** Streams of one connection, and of the whole server. */
  readonly streamsPerConnection: number;
  readonly streams: number;
  /** Streams of one subject, where callers have to say who they are. An Envoy has one, and for a moment two. */
  readonly streamsPerSubject: number;
  /** Calls from one address whose credential is being checked. */
  readonly checksPerPeer: number;
  /** How long the check of a credential may take, in milliseconds. */
  readonly checkMs: number;
  /** So long after a credential was found to be good it is asked again, at the latest, while its stream is open, in milliseconds. */
  readonly recheckMs: number;
  /** A stream that says nothing is ended after this time, in milliseconds. */
  readonly firstRequestMs: number;
  /** A client that does not read is disconnected after this time, in milliseconds; it begins anew when it comes back. */
  readonly unreadMs: number;
  /** A connection is asked to go after this time (give or take a tenth) and cut after the grace, in milliseconds: spreads clients over replicas. */
  readonly connectionAgeMs: number;
  readonly connectionGraceMs: number;
  /** A connection without a call is closed after this time, in milliseconds. */
  readonly connectionIdleMs: number;
  /** Pings after this much silence, and how long the answer may take, in milliseconds. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Memory of one HTTP/2 session, in megabytes. */
  readonly sessionMegabytes: number;
}

/** For production. Where nobody has to say who he is, all clients may be on one machine, so that an address has no share of its own. */
export const defaultServeLimits: ServeLimits = {
  connections: 20_000,
  connectionsPerPeer: 20_000,
  requestBytes: 4 * 1024 * 1024,
  streamsPerConnection: 100,
  streams: 20_000,
  streamsPerSubject: 16,
  checksPerPeer: 100,
  checkMs: 20_000,
  // With what the API server itself remembers (10 s) and takes to answer (10 s at most), within five minutes.
  recheckMs: 270_000,
  firstRequestMs: 10_000,
  unreadMs: 60_000,
  connectionAgeMs: 60 * 60_000,
  connectionGraceMs: 30_000,
  connectionIdleMs: 60_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  sessionMegabytes: 16,
};

/** For the pods of a cluster. Behind a node that hides their addresses there may be a few hundred; and an Envoy whose network comes and goes leaves streams behind. */
export const clusterServeLimits: ServeLimits = { ...defaultServeLimits, connectionsPerPeer: 1_000, streamsPerSubject: 8 };
