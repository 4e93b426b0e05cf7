/**
 * The form in which Weft writes Envoy's messages: the proto3 JSON mapping with the field names of the `.proto` files, so
 * what the code says, what `weft compile` prints and what Envoy's documentation shows are the same text.
 * https://protobuf.dev/programming-guides/json/
 */

/** Seconds with a unit, as proto3 JSON writes a google.protobuf.Duration: `0.25s`. */
export type Duration = `${number}s`;

/** A 64-bit integer; as decoded always a decimal string. */
export type Int64 = number | string;

/** Raw bytes, or their base64 text; as decoded always base64. */
export type Bytes = Uint8Array | string;

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object, as a google.protobuf.Struct holds it. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** A message inside a google.protobuf.Any; make one with `typed`, which checks its fields against its type. */
export interface Any {
  readonly '@type': string;
  readonly [field: string]: unknown;
}
