/** The names of resources, written and read. They are the keys by which Envoy asks, so a name says all that is needed to find its content. */
import type { Labels } from '../model/labels.js';
import type { Service, ServicePort } from '../model/service.js';

/** Where connections go that the mesh leaves alone: to the address that was called. */
export const passthroughCluster = 'passthrough';
/** A cluster without endpoints, where calls of proxyless gRPC go that must fail. */
export const nowhereCluster = 'nowhere';
/** From a sidecar's inbound listener to its own app. */
export const inboundCluster = 'inbound';
/** The route configuration of all outbound HTTP listeners. */
export const outboundRoutes = 'out';
/** The virtual host that makes the route configuration ready; nobody can call it. */
export const baseVirtualHost = `${outboundRoutes}/_base`;
/** The listener that captured connections leave through. */
export const outboundListener = 'outbound';
/** The listener that captured connections arrive at. */
export const inboundListener = 'inbound';
/** The listener that mutual TLS of the mesh arrives at. */
export const mutualTlsListener = 'inbound-mtls';
/** The listener of an Envoy that is called as an HTTP proxy. */
export const explicitListener = 'explicit';

/** `reviews.shop:9080`, or `reviews.shop:9080/version=v2` for some of its pods. */
export function clusterName(service: Service, port: number, labels: Labels = {}): string {
  const subset = formatLabels(labels);
  return `${service.name}.${service.namespace}:${port}${subset ? `/${subset}` : ''}`;
}

/** `k=v,...` in the order of the keys; empty without labels. */
function formatLabels(labels: Labels): string {
  const keys = Object.keys(labels).sort();
  return keys.map((key) => `${key}=${labels[key]}`).join(',');
}

/** What a cluster's name says. */
export type ClusterKey =
  | { readonly kind: 'service'; readonly name: string; readonly namespace: string; readonly port: number; readonly labels: Labels }
  | { readonly kind: 'tcp' | 'pod'; readonly address: string; readonly port: number };

const serviceCluster = /^([^.:/]+)\.([^.:/]+):([0-9]{1,5})(?:\/(.+))?$/;

/** Reads a cluster's name; undefined when it is not one of Weft's. */
export function parseClusterName(text: string): ClusterKey | undefined {
  if (text.startsWith('tcp_')) return addressKey('tcp', text.slice(4));
  if (text.startsWith('pod_')) return addressKey('pod', text.slice(4));
  const [, name, namespace, port, subset] = serviceCluster.exec(text) ?? [];
  const labels = parseLabels(subset ?? '');
  return name && namespace && labels ? { kind: 'service', name, namespace, port: Number(port), labels } : undefined;
}

function addressKey(kind: 'tcp' | 'pod', text: string): ClusterKey | undefined {
  const authority = parseAuthority(text);
  return authority?.kind === 'address' && authority.port !== undefined ? { kind, address: authority.host, port: authority.port } : undefined;
}

/** Only the form that {@link formatLabels} writes is read, so that a subset has one name. */
function parseLabels(text: string): Labels | undefined {
  if (text === '') return {};
  const labels = Object.fromEntries(text.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  return formatLabels(labels) === text ? labels : undefined;
}

/** From a sidecar to a port of its own app, whatever port was called: `inbound:8080`. */
export function inboundPortCluster(port: number): string {
  return `${inboundCluster}:${port}`;
}

/** Reads what {@link inboundPortCluster} writes; undefined for another name. */
export function parseInboundPort(text: string): number | undefined {
  const [, port] = /^inbound:([1-9][0-9]{0,4})$/.exec(text) ?? [];
  return port !== undefined && Number(port) <= 65_535 ? Number(port) : undefined;
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function formatAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The name of the cluster that TCP connections to an address ask for. */
export function tcpClusterName(address: string, port: number): string {
  return `tcp_${formatAddress(address, port)}`;
}

/** The name of the cluster that has one pod as its only endpoint. */
export function podClusterName(address: string, port: number): string {
  return `pod_${formatAddress(address, port)}`;
}

/** What statistics call the cluster: `out.reviews.shop.9080`. */
export function statName(service: Service, port: ServicePort): string {
  return `out.${service.name}.${service.namespace}.${port.port}`;
}

/** What a client calls: an address or a name, perhaps with a port. */
export interface Authority {
  readonly kind: 'address' | 'name';
  /** Lower case, without brackets and trailing dot. */
  readonly host: string;
  readonly port: number | undefined;
}

const bracketed = /^\[([0-9a-fA-F:.]+)\](?::([0-9]{1,5}))?$/;
const plain = /^([^:[\]/]+)(?::([0-9]{1,5}))?$/;
const ipv4 = /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/;

/** Reads an authority (RFC 3986, section 3.2); undefined when it is none. */
export function parseAuthority(text: string): Authority | undefined {
  const [, host, port] = bracketed.exec(text) ?? plain.exec(text) ?? [];
  if (host === undefined || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) return undefined;
  const kind = text.startsWith('[') || ipv4.test(host) ? 'address' : 'name';
  return { kind, host: host.toLowerCase().replace(/\.$/, ''), port: port === undefined ? undefined : Number(port) };
}

/** The Service that a DNS name stands for, in the resolver of a pod in this namespace; undefined when it is no such name. */
export function parseServiceName(host: string, namespace: string, clusterDomain: string): { readonly namespace: string; readonly name: string } | undefined {
  const suffixes = [`.svc.${clusterDomain}`, '.svc'];
  const suffix = suffixes.find((end) => host.endsWith(end)) ?? '';
  const [name, inNamespace = suffix ? '' : namespace, ...more] = host.slice(0, host.length - suffix.length).split('.');
  return name && inNamespace && more.length === 0 ? { namespace: inNamespace, name } : undefined;
}
