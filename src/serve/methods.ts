/** Every method that the server has. What is not in this table is not served, and what is in it passes the same door. */
import { decode } from '../envoy/decode.js';
import { encode } from '../envoy/encode.js';
import { type AdsContext, createSession, type Transport } from './ads.js';
import { clientStatus } from './csds.js';
import { createDelta } from './delta.js';
import type { Protocol } from './protocol.js';
import { createSotw } from './sotw.js';
import type { Conversation } from './streams.js';

/** A method in which both sides send as they like. */
export interface StreamMethod<Subject> {
  readonly service: string;
  readonly name: string;
  readonly open: (transport: Transport<Subject>) => Conversation;
}

/** A method with one request and one answer. */
export interface UnaryMethod<Subject> {
  readonly service: string;
  readonly name: string;
  /** Throws an Error that the client is to be told. */
  readonly answer: (request: Buffer, subject: Subject) => Buffer;
}

/** A method of the server. */
export type Method<Subject> = StreamMethod<Subject> | UnaryMethod<Subject>;

const ads = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
const csds = 'envoy.service.status.v3.ClientStatusDiscoveryService';
const health = 'grpc.health.v1.Health';

/** grpc.health.v1.HealthCheckResponse{status: SERVING}. */
const serving = Buffer.from([0x08, 0x01]);

/** The methods over what the streams share. */
export function methodsOf<Audience, Subject>(context: AdsContext<Audience, Subject>): readonly Method<Subject>[] {
  const session = (protocol: () => Protocol) => (transport: Transport<Subject>) => createSession(context, protocol(), transport);
  const status = (request: Buffer, subject: Subject) => statusOf(context, request, subject);
  return [
    { service: ads, name: 'StreamAggregatedResources', open: session(createSotw) },
    { service: ads, name: 'DeltaAggregatedResources', open: session(createDelta) },
    { service: csds, name: 'StreamClientStatus', open: (transport) => converse(transport, context.clock, status) },
    { service: csds, name: 'FetchClientStatus', answer: status },
    { service: health, name: 'Check', answer: () => serving },
  ];
}

/** `/service/method`. */
export function pathOf({ service, name }: Pick<Method<never>, 'service' | 'name'>): string {
  return `/${service}/${name}`;
}

function statusOf<Audience, Subject>({ registry, maySee }: AdsContext<Audience, Subject>, request: Buffer, subject: Subject): Buffer {
  const wanted = decode('envoy.service.status.v3.ClientStatusRequest', request);
  return encode(
    'envoy.service.status.v3.ClientStatusResponse',
    clientStatus(registry, wanted, ({ node }) => maySee?.(subject, node) ?? true),
  );
}

/** One answer to each request of a stream. */
function converse<Subject>({ subject, write }: Transport<Subject>, clock: () => number, answer: (request: Buffer, subject: Subject) => Buffer): Conversation {
  let hasBegun = false;
  let since: number | undefined;
  return {
    receive: async (request) => {
      hasBegun = true;
      const bytes = answer(request, subject);
      since = clock();
      await new Promise<void>((resolve) => write(bytes, () => resolve()));
      since = undefined;
    },
    close: () => undefined,
    waitingSince: () => since,
    hasBegun: () => hasBegun,
  };
}
