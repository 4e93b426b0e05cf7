/** IP addresses in one spelling, so that they can be compared as text. */
import { isIP, SocketAddress } from 'node:net';

/** The address as Envoy and Kubernetes spell it (IPv6 in RFC 5952's form), or undefined when the text is no IP address. */
export function canonicalAddress(text: string): string | undefined {
  const version = isIP(text);
  if (version === 4) return text;
  if (version === 0 || text.includes('%')) return undefined;
  return new SocketAddress({ address: text, family: 'ipv6' }).address;
}
