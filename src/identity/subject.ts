/** The pod behind a call, as its token proves it. */

/** A pod that has proved who it is. */
export interface PodSubject {
  /** `namespace/pod`. */
  readonly id: string;
  readonly namespace: string;
  readonly pod: string;
  /** The uid of the Pod, so that a later Pod of the same name is somebody else. */
  readonly uid: string;
  readonly serviceAccount: string;
  /** When its token ends, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** When the API server was asked who it is, in milliseconds since 1970; left out, now. */
  readonly verifiedAt?: number;
}

/** Why a caller is nobody. `UNAVAILABLE` says that it could not be found out, and that it is worth trying again. */
export interface Refusal {
  readonly refused: 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'UNAVAILABLE';
  /** What the caller is told. */
  readonly reason: string;
  /** What only the log is told. */
  readonly detail?: string | undefined;
}

/** Whether the caller is nobody. */
export function isRefusal(verdict: object): verdict is Refusal {
  return 'refused' in verdict;
}

/** A credential that is not good. */
export function unauthenticated(reason: string, detail?: string): Refusal {
  return { refused: 'UNAUTHENTICATED', reason, detail };
}

/** A credential of which nobody can tell now whether it is good. */
export function unavailable(reason: string, detail?: string): Refusal {
  return { refused: 'UNAVAILABLE', reason, detail };
}
