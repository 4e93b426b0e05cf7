/** Reading an `authorization` header, before anybody is asked whether the token in it is good. */
import { type Refusal, unauthenticated } from './subject.js';

/** A token in the shape of those that the API server makes. */
export interface BearerToken {
  readonly token: string;
  /** What the token itself says of its end, in milliseconds since 1970. To be believed when its signature has been checked. */
  readonly expiresAt: number;
}

/** The longest token that is taken; the API server's have about 1,200 characters. */
const maxLength = 8_192;

const shape = /^Bearer ([A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+)$/;

const remedy = 'send `authorization: Bearer` with the projected ServiceAccount token of the pod';

/** Takes all the values of the header; a token in any other shape than a JWT's is refused. */
export function readBearer(values: readonly (string | Buffer)[]): BearerToken | Refusal {
  const [header, ...more] = values;
  if (header === undefined) return unauthenticated(`there is no authorization header; ${remedy}`);
  if (more.length > 0 || typeof header !== 'string') return unauthenticated(`there is more than one authorization header; ${remedy}`);
  if (header.length > maxLength) return unauthenticated(`the authorization header has ${header.length} characters, more than ${maxLength}; ${remedy}`);
  const [, token, payload] = shape.exec(header) ?? [];
  const expiry = payload === undefined ? undefined : expiryOf(payload);
  if (token === undefined || expiry === undefined) return unauthenticated(`the authorization header holds no ServiceAccount token; ${remedy}`);
  return { token, expiresAt: expiry * 1000 };
}

/** The claim `exp` of a JWT, in seconds. */
function expiryOf(payload: string): number | undefined {
  const claims = parse(Buffer.from(payload, 'base64url').toString());
  const expiry = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'exp') : undefined;
  return typeof expiry === 'number' && Number.isFinite(expiry) ? expiry : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
