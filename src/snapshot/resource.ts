/** A resource as it is sent: encoded once, named, and with the hash of its content as its version. */
import { createHash } from 'node:crypto';
import { encode, encodeAny } from '../envoy/encode.js';
import type { ResourceName, ResourceType } from '../envoy/resource.js';
import type { Any } from '../envoy/types.js';

/** The immutable bytes of one version of a resource. Every stream that wants it sends these. */
export interface Resource extends ResourceName {
  /** The first 16 hexadecimal digits of the SHA-256 of `any`: equal content has an equal version, on every replica. */
  readonly version: string;
  /** The serialized google.protobuf.Any, as a DiscoveryResponse holds it. */
  readonly any: Buffer;
  /** The serialized envoy.service.discovery.v3.Resource, as a DeltaDiscoveryResponse holds it. */
  readonly delta: Buffer;
  readonly message: Any;
  /** What it needs in order to work. */
  readonly references: readonly ResourceName[];
}

/** Encodes a message once. Throws EncodeError when it is no valid message of Envoy, which is a defect of the compiler. */
export function makeResource(type: ResourceType, name: string, message: Any, references: readonly ResourceName[]): Resource {
  const any = encodeAny(message);
  const version = createHash('sha256').update(any).digest('hex').slice(0, 16);
  return { type, name, version, any, delta: encodeDelta(type, name, version, any), message, references };
}

/** The delta form of "there is no such virtual host": the name without a body, which Envoy answers with 404 at once. */
export function absentVirtualHost(name: string): Buffer {
  return encode('envoy.service.discovery.v3.Resource', { name, aliases: [name] });
}

/** VHDS matches a virtual host to the request that waits for it by its aliases; other types have none. */
function encodeDelta(type: ResourceType, name: string, version: string, any: Buffer): Buffer {
  const aliases = type === 'VirtualHost' ? [name] : [];
  const head = encode('envoy.service.discovery.v3.Resource', { name, version, aliases });
  return Buffer.concat([head, lengthPrefixed(0x12, any)]);
}

/** A length-delimited protobuf field: tag, length, bytes. */
export function lengthPrefixed(tag: number, bytes: Uint8Array): Buffer {
  const prefix = [tag];
  let rest = bytes.length;
  for (; rest > 0x7f; rest >>>= 7) prefix.push((rest & 0x7f) | 0x80);
  prefix.push(rest);
  return Buffer.concat([Buffer.from(prefix), bytes]);
}
