/** The rules that lead a pod's TCP connections through its Envoy: texts for `iptables-restore` and `ip6tables-restore --noflush`, made once before the app starts. */
import { isIPv4, isIPv6 } from 'node:net';
import { healthPort, inboundPort, mutualTlsPort, outboundPort } from '../model/sidecar-ports.js';

/** What is captured. */
export interface RedirectOptions {
  /** The user that Envoy runs as, whose own connections are not captured; 1337 unless given. The app must not run as this user. */
  readonly proxyUid?: number | undefined;
  /** Ports to which the app connects directly, wherever they are. */
  readonly excludeOutboundPorts?: readonly number[] | undefined;
  /** Ranges to which the app connects directly, such as `169.254.169.254/32` or `fd00:ec2::254/128`; each counts for its own family. */
  readonly excludeOutboundCidrs?: readonly string[] | undefined;
  /** Ports of the pod that callers reach directly. */
  readonly excludeInboundPorts?: readonly number[] | undefined;
}

/** Which of the two tables of rules a text is for. */
export type IpFamily = 'IPv4' | 'IPv6';

/**
 * `source`: Envoy connects to its own app from here, so that this is not taken for a call that has to be captured. IPv6 has one
 * loopback address only, so that another is added to the loopback device; `::1` itself many an app trusts.
 */
const families: Readonly<Record<IpFamily, { readonly source: string; readonly loopback: string; readonly bits: number }>> = {
  IPv4: { source: '127.0.0.6/32', loopback: '127.0.0.1/32', bits: 32 },
  IPv6: { source: '::6/128', loopback: '::1/128', bits: 128 },
};

/**
 * The rules, for the `nat` table of the pod's network namespace. Each text has one result, and applying it again changes
 * nothing that can be noticed. Throws an Error that names a port, a range or a uid that is none: the text is run as root.
 */
export function redirectRules(options: RedirectOptions = {}, family: IpFamily = 'IPv4'): string {
  const lines = [
    '*nat',
    ':WEFT_IN - [0:0]',
    ':WEFT_OUT - [0:0]',
    '-A PREROUTING -p tcp -j WEFT_IN',
    '-A OUTPUT -p tcp -j WEFT_OUT',
    ...inbound(options.excludeInboundPorts ?? []),
    ...outbound(options, family),
    'COMMIT',
  ];
  return `${lines.join('\n')}\n`;
}

function inbound(excluded: readonly number[]): readonly string[] {
  return [
    ...[mutualTlsPort, healthPort, ...excluded].map((port) => `-A WEFT_IN -p tcp --dport ${checkedPort(port)} -j RETURN`),
    `-A WEFT_IN -p tcp -j REDIRECT --to-ports ${inboundPort}`,
  ];
}

/** The app that calls its own Service is captured on its way out and, when Envoy picks this very pod, on its way in; to itself by its own address it is not. */
function outbound({ proxyUid = 1337, excludeOutboundPorts = [], excludeOutboundCidrs = [] }: RedirectOptions, family: IpFamily): readonly string[] {
  const uid = checkedUid(proxyUid);
  const { source, loopback } = families[family];
  const cidrs = excludeOutboundCidrs.filter((cidr) => familyOf(cidr) === family);
  return [
    `-A WEFT_OUT -s ${source} -o lo -j RETURN`,
    `-A WEFT_OUT ! -d ${loopback} -o lo -m owner --uid-owner ${uid} -j WEFT_IN`,
    `-A WEFT_OUT -o lo -j RETURN`,
    `-A WEFT_OUT -m owner --uid-owner ${uid} -j RETURN`,
    ...excludeOutboundPorts.map((port) => `-A WEFT_OUT -p tcp --dport ${checkedPort(port)} -j RETURN`),
    ...cidrs.map((cidr) => `-A WEFT_OUT -d ${cidr} -j RETURN`),
    `-A WEFT_OUT -p tcp -j REDIRECT --to-ports ${outboundPort}`,
  ];
}

function checkedPort(port: number): number {
  if (!isPort(port)) throw new Error(`${port} is not a port; give a whole number from 1 to 65535`);
  return port;
}

function checkedUid(uid: number): number {
  if (!Number.isInteger(uid) || uid < 1 || uid > 4_294_967_294) throw new Error(`${uid} cannot be the user of Envoy; give a uid above 0`);
  return uid;
}

function familyOf(cidr: string): IpFamily {
  const family = cidrFamily(cidr);
  if (!family) throw new Error(`${JSON.stringify(cidr)} is not a range of addresses; give one such as 10.0.0.0/8 or fd00::/8`);
  return family;
}

/** Whether the number is one of a port. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** The family of a range such as `10.0.0.0/8` or `fd00::/8`; undefined when the text is no range. */
export function cidrFamily(cidr: string): IpFamily | undefined {
  const [, address = '', length] = /^([0-9A-Fa-f.:]{2,45})\/(\d{1,3})$/.exec(cidr) ?? [];
  const family = isIPv4(address) ? 'IPv4' : isIPv6(address) ? 'IPv6' : undefined;
  return family && Number(length) <= families[family].bits ? family : undefined;
}
