/** Who a caller is, by its credential, and what it is told when it is nobody. */

/** What the server needs to know of any caller; the one who authenticates knows more. */
export interface Bearer {
  /** The same for all calls of one workload instance; streams are counted by it. Left out, they are not. */
  readonly id?: string | undefined;
  /** When the credential ends, in milliseconds since 1970; an open stream ends with it. Left out, never. */
  readonly expiresAt?: number | undefined;
  /** When the credential was found to be good, in milliseconds since 1970, where that may be a while ago. Left out, it was now. */
  readonly verifiedAt?: number | undefined;
}

/** Codes of gRPC that a refusal may have. `UNAVAILABLE` asks to come back: nobody could say whether the credential is good. */
export type RefusalCode = 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'RESOURCE_EXHAUSTED' | 'UNAVAILABLE' | 'INVALID_ARGUMENT' | 'DEADLINE_EXCEEDED';

/** Why a caller gets nothing, or no more. */
export interface Refusal {
  readonly refused: RefusalCode;
  /** What the caller is told. */
  readonly reason: string;
  /** What only the log is told. */
  readonly detail?: string | undefined;
}

/** The headers of a call. */
export interface CallMetadata {
  /** All values of a header, by its name in lower case. */
  readonly get: (name: string) => readonly (string | Buffer)[];
}

/** Says who a caller is. `peer` is its address; `Anew`: nothing that is remembered counts. A rejection counts as `UNAVAILABLE`. */
export type Authenticate<Subject extends Bearer> = (metadata: CallMetadata, peer: string, how?: 'Anew') => Promise<Subject | Refusal>;

/** Whether the caller was refused. */
export function isRefusal(answer: object): answer is Refusal {
  return 'refused' in answer;
}

/** A refusal in the middle of a conversation. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.name = 'Refused';
    this.refusal = refusal;
  }
}
