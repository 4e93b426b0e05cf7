/** The rules that lead a pod's TCP connections through its Envoy: a text for `iptables-restore --noflush`, made once before the app starts. */
import { isIPv4 } from 'node:net';

/** What is captured. Only IPv4 is; IPv6 connections are left alone. */
export interface RedirectOptions {
  /** The user that Envoy runs as, whose own connections are not captured; 1337 unless given. The app must not run as this user. */
  readonly proxyUid?: number | undefined;
  /** Ports to which the app connects directly, wherever they are. */
  readonly excludeOutboundPorts?: readonly number[] | undefined;
  /** Ranges to which the app connects directly, such as `169.254.169.254/32`. */
  readonly excludeOutboundCidrs?: readonly string[] | undefined;
  /** Ports of the pod that callers reach directly. */
  readonly excludeInboundPorts?: readonly number[] | undefined;
}

/** Where captured outgoing connections go. */
const outboundPort = 15_001;
/** Where captured incoming connections go. */
const inboundPort = 15_006;
/** What Envoy itself listens on: mutual TLS of the mesh, health, metrics. */
const ownPorts = [15_008, 15_021, 15_090];
/** Envoy connects to its own app from here, so that this is not taken for a call that has to be captured. */
const inboundSource = '127.0.0.6/32';

/**
 * The rules, for the `nat` table of the pod's network namespace. Each text has one result, and applying it again changes
 * nothing that can be noticed. Throws an Error that names a port, a range or a uid that is none: the text is run as root.
 */
export function redirectRules(options: RedirectOptions = {}): string {
  const lines = [
    '*nat',
    ':WEFT_IN - [0:0]',
    ':WEFT_OUT - [0:0]',
    '-A PREROUTING -p tcp -j WEFT_IN',
    '-A OUTPUT -p tcp -j WEFT_OUT',
    ...inbound(options.excludeInboundPorts ?? []),
    ...outbound(options),
    'COMMIT',
  ];
  return `${lines.join('\n')}\n`;
}

function inbound(excluded: readonly number[]): readonly string[] {
  return [
    ...[...ownPorts, ...excluded].map((port) => `-A WEFT_IN -p tcp --dport ${checkedPort(port)} -j RETURN`),
    `-A WEFT_IN -p tcp -j REDIRECT --to-ports ${inboundPort}`,
  ];
}

/** The app that calls its own Service is captured on its way out and, when Envoy picks this very pod, on its way in; to itself by its own address it is not. */
function outbound({ proxyUid = 1337, excludeOutboundPorts = [], excludeOutboundCidrs = [] }: RedirectOptions): readonly string[] {
  const uid = checkedUid(proxyUid);
  return [
    `-A WEFT_OUT -s ${inboundSource} -o lo -j RETURN`,
    `-A WEFT_OUT ! -d 127.0.0.1/32 -o lo -m owner --uid-owner ${uid} -j WEFT_IN`,
    `-A WEFT_OUT -o lo -j RETURN`,
    `-A WEFT_OUT -m owner --uid-owner ${uid} -j RETURN`,
    ...excludeOutboundPorts.map((port) => `-A WEFT_OUT -p tcp --dport ${checkedPort(port)} -j RETURN`),
    ...excludeOutboundCidrs.map((cidr) => `-A WEFT_OUT -d ${checkedCidr(cidr)} -j RETURN`),
    `-A WEFT_OUT -p tcp -j REDIRECT --to-ports ${outboundPort}`,
  ];
}

function checkedPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${port} is not a port; give a whole number from 1 to 65535`);
  return port;
}

function checkedUid(uid: number): number {
  if (!Number.isInteger(uid) || uid < 1 || uid > 4_294_967_294) throw new Error(`${uid} cannot be the user of Envoy; give a uid above 0`);
  return uid;
}

function checkedCidr(cidr: string): string {
  const [address = '', length = '', ...rest] = cidr.split('/');
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length) || Number(length) > 32 || rest.length > 0)
    throw new Error(`${JSON.stringify(cidr)} is not an IPv4 range; give one such as 10.0.0.0/8`);
  return cidr;
}
