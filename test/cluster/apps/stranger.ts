/** A client of Weft's own port that may be whoever it says it is, or not. */
import { readFile } from 'node:fs/promises';
import * as grpc from '@grpc/grpc-js';
import { decode } from '../../../src/envoy/decode.js';
import { encode } from '../../../src/envoy/encode.js';

/** One call. */
export interface Attempt {
  /** `host:port`. */
  readonly address: string;
  /** The path of a method, such as `/grpc.health.v1.Health/Check`. */
  readonly method: string;
  /** Speaks plaintext instead of TLS. */
  readonly plaintext?: boolean;
  /** The value of the header `authorization`; none is sent unless given. */
  readonly authorization?: string;
  /** Who the client says it is. */
  readonly nodeId: string;
  /** What is asked for by name, in the delta variant only; all of the type's wildcard unless given. */
  readonly names?: readonly string[];
  /** The type that is asked for, such as `type.googleapis.com/envoy.config.cluster.v3.Cluster`. */
  readonly typeUrl: string;
}

/** What came of it. */
export interface AttemptOutcome {
  /** gRPC's status; `OK` also for a stream that was still open when the first message came. */
  readonly code: string;
  readonly details: string;
  /** Whether the server sent any message at all. */
  readonly hasAnswer: boolean;
  /** Resources of the first message of a delta stream, and their versions. */
  readonly versions: Readonly<Record<string, string>>;
  /** The first message as a text, for a look at values. */
  readonly text: string;
}

/** The file with the authority that the pod trusts. */
const caFile = '/var/run/weft/ca.crt';
const serverName = 'weft-controller.weft-system.svc';
const patienceMs = 5000;

/** Makes the calls of the JSON text one after another. */
export async function tryStreams(json: string): Promise<readonly AttemptOutcome[]> {
  const attempts: readonly Attempt[] = JSON.parse(json);
  const ca = await readFile(caFile);
  const outcomes: AttemptOutcome[] = [];
  for (const attempt of attempts) outcomes.push(await tryStream(attempt, ca));
  return outcomes;
}

const asIs = (bytes: Buffer): Buffer => bytes;

function tryStream(attempt: Attempt, ca: Buffer): Promise<AttemptOutcome> {
  const credentials = attempt.plaintext ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(ca);
  const client = new grpc.Client(attempt.address, credentials, {
    'grpc.use_local_subchannel_pool': 1,
    ...(attempt.plaintext ? {} : { 'grpc.ssl_target_name_override': serverName }),
  });
  const metadata = new grpc.Metadata();
  if (attempt.authorization !== undefined) metadata.set('authorization', attempt.authorization);
  const call = client.makeBidiStreamRequest(attempt.method, asIs, asIs, metadata, { deadline: Date.now() + patienceMs });
  const outcome = new Promise<AttemptOutcome>((resolve) => {
    call.on('error', () => undefined);
    call.on('status', ({ code, details }) => resolve({ code: grpc.status[code] ?? String(code), details, hasAnswer: false, versions: {}, text: '' }));
    call.on('data', (bytes: Buffer) => resolve({ code: 'OK', details: '', hasAnswer: true, ...contents(attempt, bytes) }));
  });
  call.write(firstMessage(attempt));
  if (!isStreaming(attempt.method)) call.end();
  return outcome.finally(() => {
    call.cancel();
    client.close();
  });
}

function isStreaming(method: string): boolean {
  return /\/(Stream|Delta)/.test(method);
}

function firstMessage({ method, nodeId, names = [], typeUrl }: Attempt): Buffer {
  const node = { id: nodeId, cluster: 'stranger', metadata: { client: 'captured' } };
  if (method.includes('/Delta')) {
    return encode('envoy.service.discovery.v3.DeltaDiscoveryRequest', { node, type_url: typeUrl, resource_names_subscribe: [...names] });
  }
  if (method.includes('Discovery')) return encode('envoy.service.discovery.v3.DiscoveryRequest', { node, type_url: typeUrl });
  return Buffer.alloc(0);
}

function contents({ method }: Attempt, bytes: Buffer): Pick<AttemptOutcome, 'versions' | 'text'> {
  if (!method.includes('/Delta')) return { versions: {}, text: bytes.toString('latin1') };
  const { resources = [] } = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', bytes);
  const versions = Object.fromEntries(resources.map(({ name = '', version = '' }) => [name, version]));
  return { versions, text: JSON.stringify(resources) };
}
