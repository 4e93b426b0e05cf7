/** The well-known types, whose JSON form differs from their fields: Any, Duration, Timestamp, Struct, the wrappers. */
import type protobuf from 'protobufjs/minimal.js';
import { describe, EncodeError, isRecord } from './encode-error.js';
import { scalarWriters } from './scalars.js';
import { typeUrlPrefix } from './types.js';

/** Writes the fields of a message without a length before them. */
export type MessageWriter = (writer: protobuf.Writer, name: string, value: unknown, path: string) => void;

type KnownWriter = (writer: protobuf.Writer, value: unknown, path: string, nested: MessageWriter) => void;

/** By the full name of the well-known type. */
export const knownWriters: Readonly<Record<string, KnownWriter>> = {
  'google.protobuf.Any': writeAny,
  'google.protobuf.Duration': writeDuration,
  'google.protobuf.Timestamp': writeTimestamp,
  'google.protobuf.Struct': writeStruct,
  'google.protobuf.Value': writeJson,
  'google.protobuf.ListValue': writeList,
  'google.protobuf.BoolValue': wrapper('bool', 0x08),
  'google.protobuf.StringValue': wrapper('string', 0x0a),
  'google.protobuf.BytesValue': wrapper('bytes', 0x0a),
  'google.protobuf.DoubleValue': wrapper('double', 0x09),
  'google.protobuf.FloatValue': wrapper('float', 0x0d),
  'google.protobuf.Int32Value': wrapper('int32', 0x08),
  'google.protobuf.UInt32Value': wrapper('uint32', 0x08),
  'google.protobuf.Int64Value': wrapper('int64', 0x08),
  'google.protobuf.UInt64Value': wrapper('uint64', 0x08),
};

function wrapper(type: string, tag: number): KnownWriter {
  return (writer, value, path) => {
    const scalar = scalarWriters[type];
    const problem = scalar?.check(value);
    if (problem) throw new EncodeError(path, `${problem}, got ${describe(value)}`);
    scalar?.write(writer.uint32(tag), value);
  };
}

/** A message stands beside its `@type`; a well-known type, whose JSON form is no object of fields, stands in `value`. */
function writeAny(writer: protobuf.Writer, value: unknown, path: string, nested: MessageWriter): void {
  const { '@type': url, ...fields } = isRecord(value) ? value : {};
  if (typeof url !== 'string' || !url.startsWith(typeUrlPrefix)) throw new EncodeError(path, `expected an object with @type, got ${describe(value)}`);
  const name = url.slice(typeUrlPrefix.length);
  writer.uint32(0x0a).string(url).uint32(0x12).fork();
  nested(writer, name, knownWriters[name] ? fields['value'] : fields, path);
  writer.ldelim();
}

const durationForm = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

function writeDuration(writer: protobuf.Writer, value: unknown, path: string): void {
  const match = typeof value === 'string' ? durationForm.exec(value) : null;
  if (!match) throw new EncodeError(path, `expected a duration such as 0.25s, got ${describe(value)}`);
  const sign = match[1] ? -1 : 1;
  writeSeconds(writer, sign * Number(match[2]), sign * Number((match[3] ?? '').padEnd(9, '0')));
}

function writeTimestamp(writer: protobuf.Writer, value: unknown, path: string): void {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw new EncodeError(path, `expected an RFC 3339 time, got ${describe(value)}`);
  const seconds = Math.floor(time / 1000);
  writeSeconds(writer, seconds, (time - seconds * 1000) * 1_000_000);
}

function writeSeconds(writer: protobuf.Writer, seconds: number, nanos: number): void {
  if (seconds !== 0) writer.uint32(0x08).int64(seconds);
  if (nanos !== 0) writer.uint32(0x10).int32(nanos);
}

function writeStruct(writer: protobuf.Writer, value: unknown, path: string): void {
  if (!isRecord(value)) throw new EncodeError(path, `expected an object, got ${describe(value)}`);
  for (const key of Object.keys(value).sort()) {
    if (value[key] === undefined) continue;
    writer.uint32(0x0a).fork().uint32(0x0a).string(key).uint32(0x12).fork();
    writeJson(writer, value[key], `${path}.${key}`);
    writer.ldelim().ldelim();
  }
}

function writeList(writer: protobuf.Writer, value: unknown, path: string): void {
  if (!Array.isArray(value)) throw new EncodeError(path, `expected a list, got ${describe(value)}`);
  value.forEach((item, index) => {
    writeJson(writer.uint32(0x0a).fork(), item, `${path}[${index}]`);
    writer.ldelim();
  });
}

function writeJson(writer: protobuf.Writer, value: unknown, path: string): void {
  if (value === null) writer.uint32(0x08).int32(0);
  else if (typeof value === 'number') writer.uint32(0x11).double(value);
  else if (typeof value === 'string') writer.uint32(0x1a).string(value);
  else if (typeof value === 'boolean') writer.uint32(0x20).bool(value);
  else if (Array.isArray(value)) writeNested(writer, 0x32, () => writeList(writer, value, path));
  else writeNested(writer, 0x2a, () => writeStruct(writer, value, path));
}

function writeNested(writer: protobuf.Writer, tag: number, write: () => void): void {
  writer.uint32(tag).fork();
  write();
  writer.ldelim();
}
