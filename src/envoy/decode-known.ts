/** The well-known types, from their fields to their JSON form. */
import protobuf from 'protobufjs/minimal.js';
import { isRecord } from './encode-error.js';
import type { Json } from './json.js';
import { scalarReaders } from './scalars.js';
import { messageSchema } from './schema.js';
import { typeUrlPrefix } from './types.js';

/** Reads a message of a given type up to a position. */
type NestedReader = (type: string, reader: protobuf.Reader, end: number) => unknown;

type KnownReader = (reader: protobuf.Reader, end: number, nested: NestedReader) => unknown;

/** By the full name of the well-known type. */
export const knownReaders: Readonly<Record<string, KnownReader>> = {
  'google.protobuf.Any': readAny,
  'google.protobuf.Duration': readDuration,
  'google.protobuf.Timestamp': readTimestamp,
  'google.protobuf.Struct': (reader, end) => readStruct(reader, end, 0),
  'google.protobuf.Value': (reader, end) => readJson(reader, end, 0),
  'google.protobuf.ListValue': (reader, end) => readList(reader, end, 0),
  'google.protobuf.BoolValue': wrapper('bool', false),
  'google.protobuf.StringValue': wrapper('string', ''),
  'google.protobuf.BytesValue': wrapper('bytes', ''),
  'google.protobuf.DoubleValue': wrapper('double', 0),
  'google.protobuf.FloatValue': wrapper('float', 0),
  'google.protobuf.Int32Value': wrapper('int32', 0),
  'google.protobuf.UInt32Value': wrapper('uint32', 0),
  'google.protobuf.Int64Value': wrapper('int64', '0'),
  'google.protobuf.UInt64Value': wrapper('uint64', '0'),
};

/** Calls `visit` for each field up to `end`; a field that it does not take is passed over. */
function eachField(reader: protobuf.Reader, end: number, visit: (id: number) => boolean): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!visit(tag >>> 3)) reader.skipType(tag & 7);
  }
}

function wrapper(type: string, zero: unknown): KnownReader {
  return (reader, end) => {
    let value = zero;
    eachField(reader, end, (id) => {
      if (id === 1) value = scalarReaders[type]?.(reader);
      return id === 1;
    });
    return value;
  };
}

function readAny(reader: protobuf.Reader, end: number, nested: NestedReader): unknown {
  let url = '';
  let bytes: Uint8Array = new Uint8Array();
  eachField(reader, end, (id) => {
    if (id === 1) url = reader.string();
    if (id === 2) bytes = reader.bytes();
    return id === 1 || id === 2;
  });
  const name = url.slice(typeUrlPrefix.length);
  if (!messageSchema(name) && !knownReaders[name]) return { '@type': url, value: Buffer.from(bytes).toString('base64') };
  const content = nested(name, protobuf.Reader.create(bytes), bytes.length);
  return isRecord(content) && !knownReaders[name] ? { '@type': url, ...content } : { '@type': url, value: content };
}

function readSeconds(reader: protobuf.Reader, end: number): { readonly seconds: number; readonly nanos: number } {
  let seconds = 0;
  let nanos = 0;
  eachField(reader, end, (id) => {
    if (id === 1) seconds = Number(reader.int64());
    if (id === 2) nanos = reader.int32();
    return id === 1 || id === 2;
  });
  return { seconds, nanos };
}

function readDuration(reader: protobuf.Reader, end: number): string {
  const { seconds, nanos } = readSeconds(reader, end);
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  const fraction = nanos === 0 ? '' : `.${String(Math.abs(nanos)).padStart(9, '0').replace(/0+$/, '')}`;
  return `${sign}${Math.abs(seconds)}${fraction}s`;
}

function readTimestamp(reader: protobuf.Reader, end: number): string {
  const { seconds, nanos } = readSeconds(reader, end);
  const date = new Date(seconds * 1000 + nanos / 1_000_000);
  return Number.isNaN(date.getTime()) ? `${seconds}s` : date.toISOString();
}

const maxDepth = 64;

function within(reader: protobuf.Reader, depth: number): number {
  if (depth > maxDepth) throw new Error(`values nest deeper than ${maxDepth}`);
  const length = reader.uint32();
  if (reader.pos + length > reader.len) throw new Error(`a length of ${length} bytes goes past the end`);
  return reader.pos + length;
}

function readStruct(reader: protobuf.Reader, end: number, depth: number): Json {
  const result: Record<string, Json> = Object.create(null);
  eachField(reader, end, (id) => {
    if (id !== 1) return false;
    let key = '';
    let value: Json = null;
    eachField(reader, within(reader, depth), (part) => {
      if (part === 1) key = reader.string();
      if (part === 2) value = readJson(reader, within(reader, depth), depth + 1);
      return part === 1 || part === 2;
    });
    result[key] = value;
    return true;
  });
  return result;
}

function readList(reader: protobuf.Reader, end: number, depth: number): Json {
  const result: Json[] = [];
  eachField(reader, end, (id) => {
    if (id === 1) result.push(readJson(reader, within(reader, depth), depth + 1));
    return id === 1;
  });
  return result;
}

function readJson(reader: protobuf.Reader, end: number, depth: number): Json {
  let value: Json = null;
  eachField(reader, end, (id) => {
    if (id === 1) reader.int32();
    else if (id === 2) value = reader.double();
    else if (id === 3) value = reader.string();
    else if (id === 4) value = reader.bool();
    else if (id === 5) value = readStruct(reader, within(reader, depth), depth + 1);
    else if (id === 6) value = readList(reader, within(reader, depth), depth + 1);
    else return false;
    return true;
  });
  return value;
}
