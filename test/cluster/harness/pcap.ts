/** Reads what tcpdump has written: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-06.html. */

/** What was sent in one segment of TCP; there is none for those that only acknowledge. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly payload: Buffer;
}

const [fileHeader, recordHeader, ethernet] = [24, 16, 14];

/** The segments of a file of Ethernet frames. Throws when it is something else. */
export function readPcap(file: Buffer): readonly Segment[] {
  if (file.length < fileHeader || file.readUInt32LE(0) !== 0xa1b2c3d4 || file.readUInt32LE(20) !== 1)
    throw new Error('this is no file of captured Ethernet frames');
  const segments: Segment[] = [];
  for (let at = fileHeader; at + recordHeader <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    segments.push(...readFrame(file.subarray(at + recordHeader, at + recordHeader + length)));
    at += recordHeader + length;
  }
  return segments;
}

/** Others than of TCP are left out. */
function readFrame(frame: Buffer): readonly Segment[] {
  const packet = frame.subarray(ethernet);
  const kind = frame.readUInt16BE(12);
  if (kind === 0x0800 && packet[9] === 6) return readTcp(packet.subarray((packet.readUInt8(0) & 15) * 4, packet.readUInt16BE(2)));
  if (kind === 0x86dd && packet[6] === 6) return readTcp(packet.subarray(40, 40 + packet.readUInt16BE(4)));
  return [];
}

function readTcp(segment: Buffer): readonly Segment[] {
  const payload = segment.subarray((segment.readUInt8(12) >> 4) * 4);
  return payload.length > 0 ? [{ from: segment.readUInt16BE(0), to: segment.readUInt16BE(2), payload }] : [];
}

/** The version of TLS that a segment with a ServerHello settles on (RFC 8446, section 4.1.3), `0x0304` for 1.3; undefined for other segments. */
export function settledVersion({ payload }: Segment): number | undefined {
  const [record, handshake] = [5, 4];
  if (payload[0] !== 22 || payload[record] !== 2) return undefined;
  const hello = payload.subarray(record + handshake);
  const session = 2 + 32;
  const extensions = session + 1 + hello.readUInt8(session) + 2 + 1;
  for (let at = extensions + 2; at + 4 <= extensions + 2 + hello.readUInt16BE(extensions); at += 4 + hello.readUInt16BE(at + 2)) {
    if (hello.readUInt16BE(at) === 43) return hello.readUInt16BE(at + 4);
  }
  return hello.readUInt16BE(0);
}
