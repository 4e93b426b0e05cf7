/** What a stanza of a TrafficPolicy is: a schema, and what it contributes to Envoy's resources. One folder a stanza. */
import type { Static, TSchema } from 'typebox';
import type {
  Cluster,
  HttpConnectionManager,
  HttpFilter,
  HttpProtocolOptions,
  NetworkFilter,
  RetryPolicy,
  Route,
  RouteAction,
  Thresholds,
} from '../envoy/types.js';
import type { ObjectRef } from '../model/name.js';
import type { Protocol } from '../model/service.js';

/** The parts of a Cluster that stanzas write; two stanzas never write the same field (a test sees to it). */
export interface ClusterParts {
  /** Fields of the Cluster itself. */
  readonly cluster?: Cluster;
  /** Fields of the HttpProtocolOptions extension; only for a protocol that is HTTP. Its `common_http_protocol_options` belongs to `connection`. */
  readonly httpProtocolOptions?: HttpProtocolOptions;
  /** Fields of `circuit_breakers.thresholds[0]`, the one of priority DEFAULT. */
  readonly thresholds?: Thresholds;
}

/** The parts of a Route that stanzas write; as with clusters, no two write the same field. */
export interface RouteParts {
  /** Fields of the Route itself. */
  readonly route?: Route;
  /** Fields of its `route` action. */
  readonly action?: RouteAction;
  /** Fields of the action's `retry_policy`, a fragment of its own since `timeouts` and `retry` both write there. */
  readonly retryPolicy?: RetryPolicy;
}

/** What a contribution may depend on besides its stanza. */
export interface BackendContext {
  readonly protocol: Protocol;
  /** `grpc` is proxyless gRPC, which refuses much of what Envoy takes: a stanza writes for it only what it understands. */
  readonly client: 'captured' | 'explicit' | 'grpc';
}

/** A stanza that holds for a port of a pod, and whose it is. */
export interface ServerStanza<Value> {
  readonly value: Value;
  readonly policy: ObjectRef;
  /** The mode of the policy; `Enforce` unless it says Shadow. Only `authorization` and `rateLimit` have a way to run in Shadow. */
  readonly mode?: 'Enforce' | 'Shadow';
}

/** What a server-side contribution may depend on besides its stanzas: one port of the pods of a Service, and how calls come to it. */
export interface ServerContext {
  readonly protocol: Protocol;
  /** The namespace and the name of the Service. */
  readonly namespace: string;
  readonly service: string;
  /** The number on which the pod itself listens (the target port), not that of the Service. */
  readonly port: number;
  readonly trustDomain: string;
  /** Whether the filters stand behind mutual TLS, so that the caller has a name; otherwise they stand in the plaintext chain. */
  readonly isMtls: boolean;
}

/** What a stanza puts into the filter chain of a port. */
export interface ServerParts {
  /** Fields of the HttpConnectionManager, such as how paths are normalized; two stanzas write the same field only with the same value. */
  readonly manager?: HttpConnectionManager;
  /** Before the router, for a protocol that is HTTP. */
  readonly http?: readonly HttpFilter[];
  /** Before the connection manager or tcp_proxy. */
  readonly network?: readonly NetworkFilter[];
  /** Fields of the access log: name to format string, `{authorization_rule: '%DYNAMIC_METADATA(...)%'}`. */
  readonly accessLog?: Readonly<Record<string, string>>;
  /** What is wrong with a stanza on this port only, which its `check` could not know. */
  readonly problems?: readonly ServerProblem[];
}

/** A problem of a stanza on one port. */
export interface ServerProblem extends StanzaProblem {
  readonly policy: ObjectRef;
}

/**
 * A stanza. `Name` is its field in `spec`, and the name of its folder. The functions are pure and total over what the schema
 * and `check` accept. They are declared as methods so that a list of features may hold stanzas of different types.
 */
export interface Feature<Name extends string = string, Schema extends TSchema = TSchema> {
  readonly name: Name;
  /** Client: obeyed by the callers' proxies; Server: by the proxy of the Service's own pods. */
  readonly side: 'Client' | 'Server';
  /** Whether the stanzas of all policies count together; otherwise the most specific one displaces the others. */
  readonly addsUp?: boolean;
  /** With `description`s (they become the documentation and `kubectl explain`) and bounds everywhere. */
  readonly schema: Schema;
  cluster?(stanza: Static<Schema>, context: BackendContext): ClusterParts;
  route?(stanza: Static<Schema>, context: BackendContext): RouteParts;
  /**
   * What all stanzas of this name that hold for a port come to, the most specific first (`authorization` adds them up, others
   * take the first). Never called without one.
   */
  server?(stanzas: readonly ServerStanza<Static<Schema>>[], context: ServerContext): ServerParts;
  /** Problems that a schema cannot see; `field` is relative to the stanza. */
  check?(stanza: Static<Schema>): readonly StanzaProblem[];
  /**
   * For a stanza that protects: what has to hold in its place while its policy cannot be read and no good version of it is known.
   * `written` is what stands there, readable or not. Undefined: nothing has to.
   */
  standIn?(written: unknown, targets: 'Known' | 'Unknown'): StandIn<Static<Schema>> | undefined;
}

/** What holds in place of a stanza. */
export interface StandIn<Value> {
  readonly value: Value;
  /** What that means for the targets, after "until then": `every call to them is denied`. */
  readonly effect: string;
}

/** What is wrong with a stanza that its schema accepts. */
export interface StanzaProblem {
  readonly severity: 'error' | 'warning';
  /** Relative to the stanza: `backendRequest`, `[0].matches[1].path.value`; empty for the stanza as a whole. */
  readonly field: string;
  readonly value?: unknown;
  /** A sentence without a full stop. */
  readonly message: string;
  /** What to do about it: a sentence without a full stop. */
  readonly remedy: string;
}

/** An error with the value at its field; the short form of a {@link StanzaProblem}. */
export function stanzaError(field: string, value: unknown, message: string, remedy: string): StanzaProblem {
  return { severity: 'error', field, value, message, remedy };
}
