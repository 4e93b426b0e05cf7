import type { Message } from '../../envoy/types.js';

/** A range of addresses whose text is in CIDR notation, or undefined where it is not. Bits after the prefix are allowed, and do not count. */
export function parseCidr(text: string): Message<'envoy.config.core.v3.CidrRange'> | undefined {
  const slash = text.lastIndexOf('/');
  const [address, length] = [text.slice(0, slash), Number(text.slice(slash + 1))];
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return slash > 0 && Number.isInteger(length) && length >= 0 && length <= bits ? { address_prefix: address, prefix_len: length } : undefined;
}

const byte = '(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])';
const ipv4 = new RegExp(`^${byte}(?:\\.${byte}){3}$`);
const group = /^[0-9a-fA-F]{1,4}$/;

function isIPv4(text: string): boolean {
  return ipv4.test(text);
}

/** Eight groups, or fewer with one `::` (RFC 4291, section 2.2, without the form that ends in an IPv4 address). */
function isIPv6(text: string): boolean {
  const halves = text.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const isCountRight = halves.length === 1 ? groups.length === 8 : halves.length === 2 && groups.length <= 7;
  return isCountRight && groups.every((each) => group.test(each));
}
