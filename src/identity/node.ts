/**
 * What a client says of itself in its first request. Believed on a loopback port only, where there is no credential to ask;
 * on a cluster the token says who it is, the Pod what it is, and the node only what kind of client it is.
 */
import { sharedLabels } from '../model/labels.js';
import { type Key, keyOf } from '../model/name.js';
import type { PodSubject, Refusal } from './subject.js';

/** A client's own claims. */
export interface NodeClaims {
  readonly namespace: string;
  /** The key of its Pod; undefined for a client that is none, such as a proxyless one in development. */
  readonly pod: Key | undefined;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly zone: string;
  readonly client: 'captured' | 'explicit' | 'grpc';
  /** Where an explicit proxy listens. */
  readonly explicitPort: number;
}

/** The fields of envoy.config.core.v3.Node that are read. */
export interface NodeFields {
  readonly id?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly locality?: { readonly zone?: string | undefined } | undefined;
  readonly user_agent_name?: string | undefined;
}

/** Where an explicit proxy listens when it does not say so. */
const defaultExplicitPort = 15001;

/** The longest node id that is taken. */
const maxIdLength = 512;

/** Reads the claims of a node; a string says what is wrong with them. The id is `namespace/pod` where the metadata says nothing. */
export function readNode({ id = '', metadata = {}, locality, user_agent_name = '' }: NodeFields): NodeClaims | string {
  if (id.length === 0) return 'the first request has no node.id; set it to namespace/pod';
  if (id.length > maxIdLength) return `node.id has ${id.length} characters; at most ${maxIdLength} are taken`;
  const slash = id.indexOf('/');
  const namespace = text(metadata['namespace']) || (slash > 0 ? id.slice(0, slash) : 'default');
  const pod = text(metadata['pod']) || (slash > 0 ? id.slice(slash + 1) : '');
  return {
    namespace,
    pod: pod ? keyOf(namespace, pod) : undefined,
    serviceAccount: text(metadata['serviceAccount']) || 'default',
    labels: labels(metadata['labels']),
    zone: text(locality?.zone),
    ...kindOf({ metadata, user_agent_name }),
  };
}

function kindOf({ metadata = {}, user_agent_name = '' }: NodeFields): Pick<NodeClaims, 'client' | 'explicitPort'> {
  const port = metadata['explicitPort'];
  const isPort = typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65536;
  return { client: clientOf(metadata['client'], user_agent_name), explicitPort: isPort ? port : defaultExplicitPort };
}

/** What the watch knows of a pod. */
export interface PodFacts {
  readonly labels: Readonly<Record<string, string>>;
  /** The zone of its Node; empty when unknown. */
  readonly zone: string;
}

/** The claims of a client that has proved to be this pod. Its node must not say that it is another; an absent id does not do either, since people find a proxy by it. */
export function provenClaims(node: NodeFields, subject: PodSubject, { labels, zone }: PodFacts): NodeClaims | Refusal {
  if (node.id !== subject.id) {
    const said = (node.id ?? '').slice(0, maxIdLength);
    return { refused: 'PERMISSION_DENIED', reason: `node.id is ${JSON.stringify(said)}, and the token is of the pod ${subject.id}; set node.id to that` };
  }
  const { client, explicitPort } = kindOf(node);
  const { namespace, serviceAccount } = subject;
  return { namespace, pod: keyOf(namespace, subject.pod), serviceAccount, labels, zone, client, explicitPort };
}

/** The same text for all replicas of a workload: namespace, ServiceAccount and the labels that they share. */
export function workloadKey({ namespace, serviceAccount, labels, client }: Pick<NodeClaims, 'namespace' | 'serviceAccount' | 'labels' | 'client'>): string {
  return JSON.stringify([namespace, serviceAccount, client, Object.entries(sharedLabels(labels))]);
}

function clientOf(claim: unknown, userAgent: string): NodeClaims['client'] {
  if (claim === 'explicit' || claim === 'grpc' || claim === 'captured') return claim;
  return /^g?rpc|^gRPC/.test(userAgent) ? 'grpc' : 'captured';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, maxIdLength) : '';
}

function labels(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).flatMap(([name, label]) => (typeof label === 'string' ? [[name, label]] : [])));
}
