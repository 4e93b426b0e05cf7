/** The SDS files that a meshed pod mounts beside its token and the authority's certificate: they say where these are and that they are to be read again. */
import { isIP } from 'node:net';
import type { Message } from '../envoy/types.js';
import { typed } from '../envoy/types.js';

/** The names of the secrets, by which the bootstrap asks for them. */
export const tokenSecret = 'cp-token';
export const caSecret = 'cp-ca';

/** What the files say. */
export interface SdsFilesOptions {
  /** The folder of `token` and `ca.crt`, which is replaced as a whole when one of them changes, as the kubelet does with a projected volume. */
  readonly folder: string;
  /** The name that the control plane's certificate must bear. */
  readonly serverName: string;
}

/** The content of each file, by its name. */
export interface SdsFiles {
  /** A generic secret out of the file `token`. */
  readonly 'token.json': string;
  /** What to trust: the file `ca.crt`, and the name of the control plane alone. */
  readonly 'ca.json': string;
}

/** The content of the files. A function of its argument alone. */
export function sdsFiles({ folder, serverName }: SdsFilesOptions): SdsFiles {
  const watched_directory = { path: folder };
  const token = { name: tokenSecret, generic_secret: { secret: { filename: `${folder}/token`, watched_directory } } };
  const trusted_ca = { filename: `${folder}/ca.crt` };
  const validation_context = { trusted_ca, watched_directory, match_typed_subject_alt_names: [subjectMatch(serverName)] };
  return { 'token.json': file(token), 'ca.json': file({ name: caSecret, validation_context }) };
}

/** What the control plane's certificate must bear. */
export function subjectMatch(serverName: string) {
  return { san_type: isIP(serverName) ? ('IP_ADDRESS' as const) : ('DNS' as const), matcher: { exact: serverName } };
}

function file(secret: Message<'envoy.extensions.transport_sockets.tls.v3.Secret'>): string {
  return JSON.stringify({ resources: [typed('envoy.extensions.transport_sockets.tls.v3.Secret', secret)] });
}
