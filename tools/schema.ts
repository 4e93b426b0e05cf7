/** Turns the descriptor tree into the table that the codec reads at start-up: only what the roots need, in a compact form. */
import protobuf from 'protobufjs';
import type { FieldRow, SchemaTable } from './table.js';

/** The messages reachable from `roots`, and their enums. Throws when a root does not exist in this release of Envoy. */
export function makeTable(root: protobuf.Root, roots: readonly string[]): SchemaTable {
  const messages: Record<string, FieldRow[]> = {};
  const enums: Record<string, Record<string, number>> = {};
  const waiting = roots.map((name) => root.lookupType(name));
  for (let type = waiting.pop(); type; type = waiting.pop()) {
    const name = plainName(type);
    if (messages[name]) continue;
    messages[name] = type.fieldsArray.toSorted((a, b) => a.id - b.id).map((field) => row(field));
    for (const { resolvedType } of type.fieldsArray) {
      if (resolvedType instanceof protobuf.Type) waiting.push(resolvedType);
      if (resolvedType instanceof protobuf.Enum) enums[plainName(resolvedType)] = resolvedType.values;
    }
  }
  return { messages: sorted(messages), enums: sorted(enums) };
}

function row(field: protobuf.Field): FieldRow {
  const type = field.resolvedType ? plainName(field.resolvedType) : field.type;
  const kind = field.resolvedType instanceof protobuf.Type ? 'message' : field.resolvedType ? 'enum' : 'scalar';
  const shape = field instanceof protobuf.MapField ? field.keyType : field.repeated ? (isPacked(field) ? 'packed' : 'repeated') : 'single';
  return [field.id, field.name, kind, type, shape, field.partOf && !field.partOf.isProto3Optional ? field.partOf.name : ''];
}

/** Proto3 packs numbers and enums; strings, bytes and messages cannot be packed. */
function isPacked(field: protobuf.Field): boolean {
  return field.packed && !(field.resolvedType instanceof protobuf.Type) && field.type !== 'string' && field.type !== 'bytes';
}

function plainName(object: protobuf.ReflectionObject): string {
  return object.fullName.slice(1);
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
