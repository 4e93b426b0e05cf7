/** One field: number, name, kind, type (a scalar's or a message's full name), shape (or a map's key type), oneof ('' for none). */
export type FieldRow = readonly [number, string, 'scalar' | 'message' | 'enum', string, string, string];

/** What the generator writes and `src/envoy/schema.ts` reads. */
export interface SchemaTable {
  readonly messages: Readonly<Record<string, readonly FieldRow[]>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
