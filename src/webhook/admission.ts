/** AdmissionReview (admission.k8s.io/v1): what the API server asks a webhook, and the answer. Pure. */
import type { PatchOperation } from './json-patch.js';

/** A question of the API server, cut down to what is needed. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: string;
  /** Empty for an object of the cluster. */
  readonly namespace: string;
  /** Empty where the API server makes up the name. */
  readonly name: string;
  /** The kind of the object: `Pod`. */
  readonly kind: string;
  /** Of the part that is written, such as `ephemeralcontainers`; empty for the object itself. */
  readonly subResource: string;
  readonly dryRun: boolean;
  /** The object as it would be written; undefined when it is deleted. */
  readonly object: unknown;
  /** The object as it is; undefined when it is created. */
  readonly oldObject: unknown;
}

/** What a webhook says. `warnings` are shown to whoever made the request. */
export type AdmissionAnswer =
  | {
      readonly allowed: true;
      readonly patch?: readonly PatchOperation[] | undefined;
      readonly warnings?: readonly string[] | undefined;
      /** Goes to the API server's audit log; names without a slash. */
      readonly auditAnnotations?: Readonly<Record<string, string>> | undefined;
    }
  | { readonly allowed: false; readonly message: string; readonly warnings?: readonly string[] | undefined };

const apiVersion = 'admission.k8s.io/v1';

/** Reads the body of a webhook call; a string says what is wrong with it. */
export function readReview(body: Buffer): AdmissionRequest | string {
  const review = parse(body);
  if (!isPlain(review) || review['kind'] !== 'AdmissionReview') return 'the body is no AdmissionReview in JSON';
  if (review['apiVersion'] !== apiVersion) return `the AdmissionReview is of ${String(review['apiVersion'])}; only ${apiVersion} is understood`;
  const request = review['request'];
  if (!isPlain(request) || !text(request['uid'])) return 'the AdmissionReview has no request with a uid';
  const kind = request['kind'];
  return {
    uid: text(request['uid']),
    operation: text(request['operation']),
    namespace: text(request['namespace']),
    name: text(request['name']),
    kind: isPlain(kind) ? text(kind['kind']) : '',
    subResource: text(request['subResource']),
    dryRun: request['dryRun'] === true,
    object: request['object'] ?? undefined,
    oldObject: request['oldObject'] ?? undefined,
  };
}

/** The AdmissionReview that answers the request of this uid; a value for JSON. */
export function reviewOf(uid: string, answer: AdmissionAnswer): unknown {
  return { apiVersion, kind: 'AdmissionReview', response: { uid, allowed: answer.allowed, ...verdict(answer), ...warned(answer.warnings) } };
}

function verdict(answer: AdmissionAnswer) {
  if (!answer.allowed) return { status: { code: 403, reason: 'Forbidden', message: answer.message } };
  const { patch = [], auditAnnotations } = answer;
  const patched = patch.length > 0 ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') } : {};
  return { ...patched, ...(auditAnnotations ? { auditAnnotations } : {}) };
}

function warned(warnings: readonly string[] = []) {
  return warnings.length > 0 ? { warnings } : {};
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
