/** Just enough of the protobuf wire format to play a client: messages are looked into, not decoded, so that the driver costs little. */

/** The fields of a message that are bytes, texts or messages, and those that are numbers, in the order of the wire. */
export function* fields(message: Buffer): Generator<{ readonly id: number; readonly bytes: Buffer; readonly number: number }> {
  const cursor = { at: 0 };
  while (cursor.at < message.length) {
    const tag = varint(message, cursor);
    const kind = tag & 7;
    if (kind === 0) yield { id: tag >>> 3, bytes: nothing, number: varint(message, cursor) };
    else if (kind === 2) yield { id: tag >>> 3, bytes: take(message, cursor, varint(message, cursor)), number: 0 };
    else if (kind === 1 || kind === 5) take(message, cursor, kind === 1 ? 8 : 4);
    else throw new Error(`wire type ${kind} at byte ${cursor.at}`);
  }
}

/** Every value of one field that is bytes, a text or a message. */
export function all(message: Buffer, id: number): readonly Buffer[] {
  const found: Buffer[] = [];
  for (const field of fields(message)) if (field.id === id) found.push(field.bytes);
  return found;
}

/** The last of them, as protobuf has it; empty when there is none. */
export function last(message: Buffer, id: number): Buffer {
  return all(message, id).at(-1) ?? nothing;
}

/** A field that is bytes, a text or a message. */
export function field(id: number, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.from([(id << 3) | 2, ...varintOf(bytes.length)]), bytes]);
}

const nothing = Buffer.alloc(0);

/** Numbers beyond 2^53 lose their lowest digits; none of those that are looked at is so large. */
function varint(message: Buffer, cursor: { at: number }): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = message[cursor.at++];
    if (byte === undefined) throw new Error('a message ends in the middle of a number');
    value += (byte & 127) * factor;
    if (byte < 128) return value;
  }
}

function take(message: Buffer, cursor: { at: number }, length: number): Buffer {
  const start = cursor.at;
  cursor.at += length;
  if (cursor.at > message.length) throw new Error('a message ends in the middle of a field');
  return message.subarray(start, cursor.at);
}

function varintOf(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}
