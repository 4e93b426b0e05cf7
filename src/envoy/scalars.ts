/** The scalar types of protobuf: how a JSON value is checked, written and read. */
import type protobuf from 'protobufjs/minimal.js';

/** How one scalar type is written. */
export interface ScalarWriter {
  readonly wireType: 0 | 1 | 2 | 5;
  /** What is wrong with `value`, in words that begin with "expected", or undefined. */
  readonly check: (value: unknown) => string | undefined;
  /** Writes a value that `check` accepts. */
  readonly write: (writer: protobuf.Writer, value: unknown) => void;
}

const decimal = /^-?\d{1,20}$/;

function integer(min: number, max: number): ScalarWriter['check'] {
  return (value) => {
    const number = typeof value === 'string' && decimal.test(value) ? Number(value) : value;
    return Number.isInteger(number) && Number(number) >= min && Number(number) <= max ? undefined : `expected a whole number from ${min} to ${max}`;
  };
}

/** A number of 64 bits: decimal text, or a number that JavaScript holds exactly. */
function longInteger(min: bigint, max: bigint): ScalarWriter['check'] {
  return (value) => {
    const isWhole = Number.isSafeInteger(value) || (typeof value === 'string' && decimal.test(value));
    return isWhole && BigInt(String(value)) >= min && BigInt(String(value)) <= max ? undefined : `expected a whole number from ${min} to ${max}`;
  };
}

const isNumber: ScalarWriter['check'] = (value) => (typeof value === 'number' && !Number.isNaN(value) ? undefined : 'expected a number');
const isString: ScalarWriter['check'] = (value) => (typeof value === 'string' ? undefined : 'expected a string');
const isBoolean: ScalarWriter['check'] = (value) =>
  value === true || value === 'true' || value === false || value === 'false' ? undefined : 'expected true or false';
const isBytes: ScalarWriter['check'] = (value) => (value instanceof Uint8Array || typeof value === 'string' ? undefined : 'expected bytes or base64 text');

const int32 = integer(-(2 ** 31), 2 ** 31 - 1);
const uint32 = integer(0, 2 ** 32 - 1);
const int64 = longInteger(-(2n ** 63n), 2n ** 63n - 1n);
const uint64 = longInteger(0n, 2n ** 64n - 1n);

function long(value: unknown): string | number {
  return typeof value === 'number' ? value : String(value);
}

function bytes(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(String(value), 'base64');
}

/** By the name of the scalar type. */
export const scalarWriters: Readonly<Record<string, ScalarWriter>> = {
  string: { wireType: 2, check: isString, write: (w, v) => w.string(String(v)) },
  bytes: { wireType: 2, check: isBytes, write: (w, v) => w.bytes(bytes(v)) },
  bool: { wireType: 0, check: isBoolean, write: (w, v) => w.bool(v === true || v === 'true') },
  double: { wireType: 1, check: isNumber, write: (w, v) => w.double(Number(v)) },
  float: { wireType: 5, check: isNumber, write: (w, v) => w.float(Number(v)) },
  int32: { wireType: 0, check: int32, write: (w, v) => w.int32(Number(v)) },
  sint32: { wireType: 0, check: int32, write: (w, v) => w.sint32(Number(v)) },
  sfixed32: { wireType: 5, check: int32, write: (w, v) => w.sfixed32(Number(v)) },
  uint32: { wireType: 0, check: uint32, write: (w, v) => w.uint32(Number(v)) },
  fixed32: { wireType: 5, check: uint32, write: (w, v) => w.fixed32(Number(v)) },
  int64: { wireType: 0, check: int64, write: (w, v) => w.int64(long(v)) },
  sint64: { wireType: 0, check: int64, write: (w, v) => w.sint64(long(v)) },
  sfixed64: { wireType: 1, check: int64, write: (w, v) => w.sfixed64(long(v)) },
  uint64: { wireType: 0, check: uint64, write: (w, v) => w.uint64(long(v)) },
  fixed64: { wireType: 1, check: uint64, write: (w, v) => w.fixed64(long(v)) },
};

/** Reads one value of a scalar type; 64-bit integers as decimal strings, bytes as base64. */
export const scalarReaders: Readonly<Record<string, (reader: protobuf.Reader) => unknown>> = {
  string: (r) => r.string(),
  bytes: (r) => Buffer.from(r.bytes()).toString('base64'),
  bool: (r) => r.bool(),
  double: (r) => r.double(),
  float: (r) => r.float(),
  int32: (r) => r.int32(),
  sint32: (r) => r.sint32(),
  sfixed32: (r) => r.sfixed32(),
  uint32: (r) => r.uint32(),
  fixed32: (r) => r.fixed32(),
  int64: (r) => r.int64().toString(),
  sint64: (r) => r.sint64().toString(),
  sfixed64: (r) => r.sfixed64().toString(),
  uint64: (r) => r.uint64().toString(),
  fixed64: (r) => r.fixed64().toString(),
};
