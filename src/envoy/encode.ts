/**
 * Proto3 JSON to bytes, strictly: an unknown field or type, a value of the wrong kind, two members of one oneof or a number
 * out of range is an error that names its path. Equal values give equal bytes: fields in ascending order, map keys sorted.
 */
import protobuf from 'protobufjs/minimal.js';
import { describe, EncodeError, isRecord } from './encode-error.js';
import { knownWriters } from './encode-known.js';
import { type ScalarWriter, scalarWriters } from './scalars.js';
import { enumSchema, type Field, type MessageSchema, messageSchema } from './schema.js';
import type { Any, Message, MessageName } from './types.js';

/** The bytes of a message. Throws EncodeError. */
export function encode<Name extends MessageName>(name: Name, value: Message<Name>): Buffer {
  return Buffer.from(encodeMessage(name, value, '').finish());
}

/** The bytes of a google.protobuf.Any around a message. Throws EncodeError, also for a type that Weft does not know. */
export function encodeAny(message: Any): Buffer {
  return Buffer.from(encodeMessage('google.protobuf.Any', message, '').finish());
}

/** As {@link encode}, for a message whose name is only known at run time, such as the content of an Any. */
function encodeMessage(name: string, value: unknown, path: string): protobuf.Writer {
  const writer = protobuf.Writer.create();
  writeMessage(writer, name, value, path);
  return writer;
}

/** Writes the fields of `value`, without a length before them. */
function writeMessage(writer: protobuf.Writer, name: string, value: unknown, path: string): void {
  const known = knownWriters[name];
  if (known) return known(writer, value, path, writeMessage);
  const schema = messageSchema(name);
  if (!schema) throw new EncodeError(path, `unknown message type ${name}; name it in proto/roots.txt`);
  if (!isRecord(value)) throw new EncodeError(path, `expected an object for ${name}, got ${describe(value)}`);
  for (const { field, content } of fieldsToWrite(schema, value, path)) writeField(writer, field, content, join(path, field.name));
}

function fieldsToWrite(schema: MessageSchema, value: Readonly<Record<string, unknown>>, path: string) {
  const rows: { readonly field: Field; readonly content: unknown }[] = [];
  const chosen = new Map<string, string>();
  for (const [key, content] of Object.entries(value)) {
    if (content === undefined) continue;
    const field = schema.fields.get(key);
    if (!field) throw new EncodeError(join(path, key), `${schema.name} has no field ${key}`);
    const rival = field.oneof ? chosen.get(field.oneof) : undefined;
    if (rival) throw new EncodeError(join(path, key), `${rival} is set as well, and only one of ${field.oneof} may be`);
    chosen.set(field.oneof, key);
    rows.push({ field, content });
  }
  return rows.sort((a, b) => a.field.id - b.field.id);
}

function writeField(writer: protobuf.Writer, field: Field, content: unknown, path: string): void {
  if (field.shape === 'single') return writeValue(writer, field, field.id, content, path);
  if (field.shape === 'map') return writeMap(writer, field, content, path);
  if (!Array.isArray(content)) throw new EncodeError(path, `expected a list, got ${describe(content)}`);
  if (field.shape === 'packed') return writePacked(writer, field, content, path);
  for (const [index, item] of content.entries()) writeValue(writer, field, field.id, item, `${path}[${index}]`);
}

function writeMap(writer: protobuf.Writer, field: Field, content: unknown, path: string): void {
  if (!isRecord(content)) throw new EncodeError(path, `expected a map, got ${describe(content)}`);
  for (const key of Object.keys(content).sort()) {
    if (content[key] === undefined) continue;
    writer.uint32(tag(field.id, 2)).fork();
    writeKey(writer, field, key, path);
    writeValue(writer, field, 2, content[key], join(path, key));
    writer.ldelim();
  }
}

/** A key is text in JSON whatever its type; a boolean or number is written as such. */
function writeKey(writer: protobuf.Writer, field: Field, key: string, path: string): void {
  const scalar = scalarWriter(field.keyType, path);
  const problem = scalar.check(key);
  if (problem) throw new EncodeError(path, `${problem} as key, got ${describe(key)}`);
  scalar.write(writer.uint32(tag(1, scalar.wireType)), key);
}

function writePacked(writer: protobuf.Writer, field: Field, content: readonly unknown[], path: string): void {
  if (content.length === 0) return;
  writer.uint32(tag(field.id, 2)).fork();
  for (const [index, item] of content.entries()) writePlain(writer, field, item, `${path}[${index}]`);
  writer.ldelim();
}

function writeValue(writer: protobuf.Writer, field: Field, id: number, value: unknown, path: string): void {
  if (field.kind === 'message') {
    writeMessage(writer.uint32(tag(id, 2)).fork(), field.type, value, path);
    writer.ldelim();
  } else {
    writePlain(writer.uint32(tag(id, field.kind === 'enum' ? 0 : scalarWriter(field.type, path).wireType)), field, value, path);
  }
}

function writePlain(writer: protobuf.Writer, field: Field, value: unknown, path: string): void {
  if (field.kind === 'enum') {
    const number = typeof value === 'string' ? enumSchema(field.type).numbers.get(value) : undefined;
    if (number === undefined) throw new EncodeError(path, `${describe(value)} is not one of ${[...enumSchema(field.type).numbers.keys()].join(', ')}`);
    writer.int32(number);
    return;
  }
  const problem = scalarWriter(field.type, path).check(value);
  if (problem) throw new EncodeError(path, `${problem}, got ${describe(value)}`);
  scalarWriter(field.type, path).write(writer, value);
}

function scalarWriter(type: string, path: string): ScalarWriter {
  const found = scalarWriters[type];
  if (!found) throw new EncodeError(path, `scalar type ${type} is not supported`);
  return found;
}

function tag(id: number, wireType: number): number {
  return ((id << 3) | wireType) >>> 0;
}

function join(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}
