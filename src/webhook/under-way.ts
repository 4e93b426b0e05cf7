/** How much is being read and answered at the moment, in all and for one address: what callers send is in memory until they have their answer. */

/** Bounds, in bytes. */
export interface UnderWayLimits {
  readonly bytes: number;
  readonly bytesPerPeer: number;
}

/** A request on its way. */
export interface Ticket {
  /** Takes room for more of it; false when there is none. */
  readonly grow: (bytes: number) => boolean;
  /** Gives all its room back. */
  readonly leave: () => void;
}

/** The room for all requests. */
export interface UnderWay {
  /** A ticket for a request of this address, without any room yet. */
  readonly enter: (peer: string) => Ticket;
}

/** Room for nobody in particular. */
export function createUnderWay(limits: UnderWayLimits): UnderWay {
  const byPeer = new Map<string, number>();
  let total = 0;
  const change = (peer: string, bytes: number) => {
    const next = (byPeer.get(peer) ?? 0) + bytes;
    total += bytes;
    if (next > 0) byPeer.set(peer, next);
    else byPeer.delete(peer);
  };
  return {
    enter: (peer) => {
      let own = 0;
      return {
        grow: (bytes) => {
          if (total + bytes > limits.bytes || (byPeer.get(peer) ?? 0) + bytes > limits.bytesPerPeer) return false;
          own += bytes;
          change(peer, bytes);
          return true;
        },
        leave: () => {
          change(peer, -own);
          own = 0;
        },
      };
    },
  };
}
