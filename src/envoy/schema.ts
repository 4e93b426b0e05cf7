/** The table of messages that `npm run generate` wrote, loaded once and indexed for the codec. */
import { schemaJson } from './gen/schema.js';

/** How often a field may stand: once, many times, many times packed, or as a map. */
export type Shape = 'single' | 'repeated' | 'packed' | 'map';

/** One field of a message. */
export interface Field {
  readonly id: number;
  readonly name: string;
  readonly kind: 'scalar' | 'message' | 'enum';
  /** A scalar's name, or the full name of the message or enum. */
  readonly type: string;
  readonly shape: Shape;
  /** The scalar type of the keys where the shape is a map. */
  readonly keyType: string;
  /** The oneof that the field belongs to, or the empty string. */
  readonly oneof: string;
}

/** The fields of a message, by name (JSON to wire) and by number (wire to JSON). */
export interface MessageSchema {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
  readonly byId: ReadonlyMap<number, Field>;
}

/** The values of an enum, both ways. */
export interface EnumSchema {
  readonly numbers: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, string>;
}

type Row = readonly [number, string, Field['kind'], string, string, string];

interface Table {
  readonly messages: Readonly<Record<string, readonly Row[]>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const table: Table = JSON.parse(schemaJson);
const messages = new Map<string, MessageSchema>();
const enums = new Map<string, EnumSchema>();

/** The schema of a message, or undefined when Weft does not know it. */
export function messageSchema(name: string): MessageSchema | undefined {
  const known = messages.get(name);
  if (known) return known;
  const rows = Object.hasOwn(table.messages, name) ? table.messages[name] : undefined;
  if (!rows) return undefined;
  const fields = rows.map(toField);
  const schema = { name, fields: new Map(fields.map((field) => [field.name, field])), byId: new Map(fields.map((field) => [field.id, field])) };
  messages.set(name, schema);
  return schema;
}

/** The values of an enum that a known message refers to. */
export function enumSchema(name: string): EnumSchema {
  const known = enums.get(name);
  if (known) return known;
  const entries = Object.entries(table.enums[name] ?? {});
  const schema = { numbers: new Map(entries), names: new Map(entries.map(([value, number]) => [number, value])) };
  enums.set(name, schema);
  return schema;
}

function toField([id, name, kind, type, shape, oneof]: Row): Field {
  const isMap = shape !== 'single' && shape !== 'repeated' && shape !== 'packed';
  return { id, name, kind, type, shape: isMap ? 'map' : shape, keyType: isMap ? shape : '', oneof };
}
