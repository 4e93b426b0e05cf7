/** How a caller is told that `egress: RegistryOnly` keeps it from calling what the mesh does not know. */
import type { Route } from '../envoy/types.js';
import { parseAuthority } from './names.js';

/** The answer to every request for this authority: 502, as Istio has it, and why. A gRPC call fails with UNAVAILABLE and the same words. */
export function refusingRoute(authority: string): Route {
  const body = [
    `Refused by the mesh: it knows nothing of ${authority}, and its egress is RegistryOnly.`,
    'To allow the call, make a Service with an EndpointSlice for it, exclude its address from capture with the annotation',
    'weft.dev/exclude-outbound-cidrs of the calling pod, or set spec.egress of the Mesh named default to Passthrough.',
  ];
  return { name: 'refused', match: { prefix: '/' }, direct_response: { status: 502, body: { inline_string: `${body.join('\n')}\n` } } };
}

/** The same answer for a CONNECT, which has no path. */
export function refusingTunnel(authority: string): Route {
  return { ...refusingRoute(authority), match: { connect_matcher: {} } };
}

/** Whether an authority may be a domain of a virtual host: nothing in it that Envoy takes for a wildcard. */
export function isPlainAuthority(text: string): boolean {
  const authority = parseAuthority(text);
  return authority !== undefined && (authority.kind === 'address' || /^[a-z0-9._-]+$/.test(authority.host));
}
