/** Bytes to proto3 JSON: fields that Weft does not know are passed over, as protobuf asks of a reader. */
import protobuf from 'protobufjs/minimal.js';
import { knownReaders } from './decode-known.js';
import { isRecord } from './encode-error.js';
import { scalarReaders } from './scalars.js';
import { enumSchema, type Field, messageSchema } from './schema.js';
import type { Message, MessageName } from './types.js';

/** How deep messages may nest; what comes from the network must not exhaust the stack. */
const maxDepth = 100;

/** A message from its bytes. Throws an Error when the bytes are no such message. */
export function decode<Name extends MessageName>(name: Name, bytes: Uint8Array): Message<Name>;
export function decode(name: string, bytes: Uint8Array): unknown {
  return readMessage(protobuf.Reader.create(bytes), bytes.length, name, 0);
}

/** Reads the fields of a message up to position `end`. */
function readMessage(reader: protobuf.Reader, end: number, name: string, depth: number): unknown {
  if (depth > maxDepth) throw new Error(`messages nest deeper than ${maxDepth}`);
  const known = knownReaders[name];
  if (known) return known(reader, end, (type, inner, until) => readMessage(inner, until, type, depth + 1));
  const schema = messageSchema(name);
  if (!schema) throw new Error(`unknown message type ${name}`);
  const result: Record<string, unknown> = Object.create(null);
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = schema.byId.get(tag >>> 3);
    if (!field) reader.skipType(tag & 7);
    else readField(reader, field, tag & 7, result, depth);
  }
  if (reader.pos !== end) throw new Error(`${name} ends in the middle of a field`);
  return result;
}

function readField(reader: protobuf.Reader, field: Field, wireType: number, into: Record<string, unknown>, depth: number): void {
  if (field.shape === 'single') {
    into[field.name] = readValue(reader, field, depth);
  } else if (field.shape === 'map') {
    const [key, value] = readEntry(reader, field, depth);
    mapAt(into, field.name)[key] = value;
  } else {
    const list = listAt(into, field.name);
    if (field.shape === 'repeated' || wireType !== 2) list.push(readValue(reader, field, depth));
    else for (const end = lengthEnd(reader); reader.pos < end; ) list.push(readValue(reader, field, depth));
  }
}

/** The list that stands in `into[name]`, put there when the field appears for the first time. */
function listAt(into: Record<string, unknown>, name: string): unknown[] {
  const known = into[name];
  if (Array.isArray(known)) return known;
  const fresh: unknown[] = [];
  into[name] = fresh;
  return fresh;
}

/** As {@link listAt}, for a map. */
function mapAt(into: Record<string, unknown>, name: string): Record<string, unknown> {
  const known = into[name];
  if (isMap(known)) return known;
  const fresh: Record<string, unknown> = Object.create(null);
  into[name] = fresh;
  return fresh;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return isRecord(value);
}

function readEntry(reader: protobuf.Reader, field: Field, depth: number): readonly [string, unknown] {
  let key = '';
  let value: unknown;
  for (const end = lengthEnd(reader); reader.pos < end; ) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) key = String(readScalar(reader, field.keyType));
    else if (tag >>> 3 === 2) value = readValue(reader, field, depth);
    else reader.skipType(tag & 7);
  }
  return [key, value];
}

function readValue(reader: protobuf.Reader, field: Field, depth: number): unknown {
  if (field.kind === 'message') return readMessage(reader, lengthEnd(reader), field.type, depth + 1);
  if (field.kind === 'scalar') return readScalar(reader, field.type);
  const number = reader.int32();
  return enumSchema(field.type).names.get(number) ?? number;
}

function readScalar(reader: protobuf.Reader, type: string): unknown {
  const read = scalarReaders[type];
  if (!read) throw new Error(`scalar type ${type} is not supported`);
  return read(reader);
}

function lengthEnd(reader: protobuf.Reader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new Error(`a length of ${length} bytes goes past the end`);
  return end;
}
