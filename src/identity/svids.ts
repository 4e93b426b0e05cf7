/** The certificates of all identities that have streams: issued when first needed, renewed in time, forgotten when nobody needs them any more. */
import type { Identity } from '../model/spiffe.js';
import type { CaMaterial } from './authority-secret.js';
import { isGood, isStale, makeSvid, type Svid } from './svid.js';

/** What certificates are issued by, and how long they are kept. */
export interface SvidsOptions {
  readonly authority: () => CaMaterial;
  readonly trustDomain: () => string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Told why there is no new certificate, while the old one stays in use; it is tried again. */
  readonly onError: (error: unknown) => void;
  /** The certificates of these identities have come, have been renewed, or are gone. */
  readonly onRenewed: (identities: readonly Identity[]) => void;
  /** How long a certificate is good, in milliseconds; a day unless given. */
  readonly lifetimeMs?: number | undefined;
  /** How long the certificate of an identity without a stream is kept, in milliseconds; ten minutes unless given. */
  readonly lingerMs?: number | undefined;
}

/** The certificates. */
export interface Svids {
  /** Resolves when there is one that is good. Rejects with an Error when there is none and none can be issued. */
  readonly ensure: (identity: Identity) => Promise<void>;
  /** Somebody uses it, until the function that is returned is called. */
  readonly hold: (identity: Identity) => () => void;
  readonly get: (identity: Identity) => Svid | undefined;
  readonly rows: () => readonly IdentityRow[];
  /** What certificates are issued by may have changed. */
  readonly touch: () => void;
  readonly close: () => void;
}

/** A certificate, in words: nothing of its key. */
export interface IdentityRow extends Identity, Pick<Svid, 'uri' | 'issuer' | 'notAfter'> {
  /** How many streams use it. */
  readonly streams: number;
}

interface Kept {
  readonly identity: Identity;
  svid: Svid | undefined;
  issuing: Promise<void> | undefined;
  streams: number;
  /** When somebody has needed it last. */
  seen: number;
}

interface State {
  readonly options: SvidsOptions;
  readonly lifetimeMs: number;
  readonly all: Map<string, Kept>;
  isPassing: boolean;
  isTouched: boolean;
  isClosed: boolean;
}

const day = 24 * 60 * 60_000;
const tenMinutes = 10 * 60_000;
/** Looks at the clock at least so often, so that a machine that slept is not late by as long as it slept. */
const longestWaitMs = 60_000;
/** After so many certificates their owners are told, and others have their turn. */
const atOnce = 16;

/** None yet. */
export function createSvids(options: SvidsOptions): Svids {
  const { lifetimeMs = day, lingerMs = tenMinutes } = options;
  const state: State = { options, lifetimeMs, all: new Map(), isPassing: false, isTouched: false, isClosed: false };
  const everyMs = Math.min(longestWaitMs, lifetimeMs / 20, lingerMs);
  const timer = setInterval(() => {
    forget(state, lingerMs);
    pass(state);
  }, everyMs).unref();
  return {
    ensure: (identity) => ensure(state, identity),
    hold: (identity) => hold(state, identity),
    get: (identity) => state.all.get(keyOf(identity))?.svid,
    rows: () => rowsOf(state),
    touch: () => pass(state),
    close: () => {
      state.isClosed = true;
      clearInterval(timer);
    },
  };
}

function keyOf({ namespace, serviceAccount }: Identity): string {
  return `${namespace}/${serviceAccount}`;
}

function keptOf({ all, options }: State, identity: Identity): Kept {
  const key = keyOf(identity);
  const { namespace, serviceAccount } = identity;
  const kept = all.get(key) ?? { identity: { namespace, serviceAccount }, svid: undefined, issuing: undefined, streams: 0, seen: 0 };
  kept.seen = options.clock();
  all.set(key, kept);
  return kept;
}

/** A certificate that is only due to be renewed is good enough: the next pass renews it. */
async function ensure(state: State, identity: Identity): Promise<void> {
  const kept = keptOf(state, identity);
  if (!kept.svid || !isGood(kept.svid, state.options.clock())) await renew(state, kept, true);
}

function hold(state: State, identity: Identity): () => void {
  const kept = keptOf(state, identity);
  kept.streams++;
  if (!kept.svid) renew(state, kept, true).catch(state.options.onError);
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    kept.streams--;
    kept.seen = state.options.clock();
  };
}

/** Of those who ask at the same time, one does it. */
function renew(state: State, kept: Kept, isToldAtOnce: boolean): Promise<void> {
  kept.issuing ??= issue(state, kept, isToldAtOnce).finally(() => {
    kept.issuing = undefined;
  });
  return kept.issuing;
}

async function issue({ options, lifetimeMs }: State, kept: Kept, isToldAtOnce: boolean): Promise<void> {
  const { authority, trustDomain, clock, onRenewed } = options;
  kept.svid = await makeSvid(kept.identity, { authority: authority(), trustDomain: trustDomain(), now: clock(), lifetimeMs });
  if (isToldAtOnce) onRenewed([kept.identity]);
}

/** Renews all that is stale; what changes meanwhile is looked at again. */
function pass(state: State): void {
  state.isTouched = true;
  if (state.isPassing) return;
  state.isPassing = true;
  void passes(state);
}

async function passes(state: State): Promise<void> {
  while (state.isTouched && !state.isClosed) {
    state.isTouched = false;
    const { authority, trustDomain, clock } = state.options;
    const wanted = { authority: authority(), trustDomain: trustDomain(), now: clock(), lifetimeMs: state.lifetimeMs };
    const stale = [...state.all.values()].filter(({ svid, streams, issuing, identity }) => (svid ? isStale(svid, wanted, identity) : streams > 0 && !issuing));
    for (let begin = 0; begin < stale.length && !state.isClosed; begin += atOnce) await renewSome(state, stale.slice(begin, begin + atOnce));
  }
  state.isPassing = false;
}

async function renewSome(state: State, some: readonly Kept[]): Promise<void> {
  const outcomes = await Promise.allSettled(some.map((kept) => renew(state, kept, false)));
  const failure = outcomes.find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') state.options.onError(failure.reason);
  const renewed = some.filter((_, index) => outcomes[index]?.status === 'fulfilled');
  if (renewed.length > 0) state.options.onRenewed(renewed.map(({ identity }) => identity));
}

function forget({ all, options }: State, lingerMs: number): void {
  const now = options.clock();
  const gone = [...all].filter(([, { streams, issuing, seen }]) => streams === 0 && !issuing && now - seen >= lingerMs);
  for (const [key] of gone) all.delete(key);
  if (gone.length > 0) options.onRenewed(gone.map(([, { identity }]) => identity));
}

function rowsOf({ all }: State): readonly IdentityRow[] {
  return [...all.values()].flatMap(({ identity, svid, streams }) => {
    if (!svid) return [];
    const { uri, issuer, notAfter } = svid;
    return [{ ...identity, uri, issuer, notAfter, streams }];
  });
}
