/**
 * Reads the descriptors that are compiled into the Envoy binary (each a serialized google.protobuf.FileDescriptorProto in
 * plain bytes), which makes them those of the very release by definition. See docs/adr/001-envoy-descriptors.md.
 */
import { readFile } from 'node:fs/promises';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor.js';

/** What the binary lacks because Envoy never serves it: CSDS, from the npm package of gRPC. */
const csds = 'node_modules/@grpc/grpc-js-xds/deps/envoy-api/envoy/service/status/v3/csds.proto';

/** Every message of the Envoy binary at `file`, and CSDS, resolved into one tree, with the field names of the `.proto` files. */
export async function readDescriptors(file: string): Promise<protobuf.Root> {
  const set = protobuf.Writer.create();
  for (const bytes of fileDescriptors(await readFile(file)).values()) set.uint32(0x0a).bytes(bytes);
  const root = protobuf.Root.fromDescriptor(set.finish(), { keepCase: true });
  protobuf.parse(await readFile(csds, 'utf8'), root, { keepCase: true });
  root.resolveAll();
  return root;
}

/** The serialized FileDescriptorProtos in `binary`, by file name. Each begins with field 1, the name, which ends in `.proto`. */
function fileDescriptors(binary: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const suffix = Buffer.from('.proto');
  for (let at = binary.indexOf(suffix); at >= 0; at = binary.indexOf(suffix, at + 1)) {
    const start = startOfName(binary, at + suffix.length);
    if (start === undefined) continue;
    const end = endOfFile(binary, start);
    const name = binary.toString('latin1', start + (binary.readUInt8(start + 1) < 0x80 ? 2 : 3), at + suffix.length);
    const known = found.get(name);
    if (end > at + suffix.length && (known?.length ?? 0) < end - start) found.set(name, binary.subarray(start, end));
  }
  return found;
}

/** Where a field 1 (tag 0x0a, then the length) starts whose text ends at `end`, if one does. */
function startOfName(binary: Buffer, end: number): number | undefined {
  for (let length = 7; length < 200; length++) {
    const text = end - length;
    if (length < 0x80 && binary[text - 1] === length && binary[text - 2] === 0x0a) return text - 2;
    if (length >= 0x80 && binary[text - 1] === length >> 7 && binary[text - 2] === ((length & 0x7f) | 0x80) && binary[text - 3] === 0x0a) return text - 3;
  }
  return undefined;
}

/** Fields of a FileDescriptorProto and their wire types: name, package, dependency, message, enum, service, extension, options, ... */
const fileFields: Readonly<Record<number, number>> = { 1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 0, 11: 0, 12: 2, 14: 0 };

/** protoc writes these before the messages although their numbers are higher. */
const early = new Set([10, 11]);

/** The end of the file that begins at `start`: where the bytes stop being fields of a FileDescriptorProto in ascending order. */
function endOfFile(binary: Buffer, start: number): number {
  let at = start;
  let last = 0;
  while (at < binary.length) {
    const tag = varint(binary, at);
    const field = tag.value >> 3;
    if (fileFields[field] !== (tag.value & 7) || (field < last && !early.has(last)) || (field === 1 && at > start)) return at;
    const value = varint(binary, tag.next);
    at = (tag.value & 7) === 2 ? value.next + value.value : value.next;
    if (!early.has(field)) last = field;
  }
  return at;
}

function varint(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let shift = 0, next = at; ; shift += 7) {
    const byte = bytes[next++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80 || shift > 28) return { value, next };
  }
}
