/** What goes over a cable: the payload of every TCP segment, as tcpdump would show it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Cleanup } from '../support/envoy.js';

/** What was sent in one segment. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly payload: Buffer;
}

/** Tells by an empty line that it listens; when its input ends it has written all that came before. */
const script = `
import base64, select, socket, struct, sys
cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
cable.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
cable.bind((sys.argv[1], 0))
cable.setblocking(False)
print(flush=True)
def show(frame):
    kind = struct.unpack('!H', frame[12:14])[0]
    if kind == 0x0800 and frame[23] == 6:
        begin, end = 14 + (frame[14] & 15) * 4, 14 + struct.unpack('!H', frame[16:18])[0]
    elif kind == 0x86dd and frame[20] == 6:
        begin, end = 54, 54 + struct.unpack('!H', frame[18:20])[0]
    else:
        return
    source, target = struct.unpack('!HH', frame[begin:begin + 4])
    payload = frame[begin + (frame[begin + 12] >> 4) * 4:end]
    if payload:
        print(source, target, base64.b64encode(payload).decode())
while True:
    ended = sys.stdin in select.select([cable, sys.stdin], [], [])[0]
    try:
        while True:
            show(cable.recv(1 << 17))
    except BlockingIOError:
        pass
    if ended:
        break
`;

/** Records what passes a device of the namespace until the function in the answer is called. */
export async function capture(t: Cleanup, netns: string, device: string): Promise<() => Promise<readonly Segment[]>> {
  const child = spawn('ip', ['netns', 'exec', netns, 'python3', '-c', script, device], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => void child.kill('SIGKILL'));
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text;
  });
  const ended = once(child.stdout, 'end');
  await Promise.race([once(child.stdout, 'data'), ended]);
  return async () => {
    child.stdin.end();
    await ended;
    return written.split('\n').flatMap(readSegment);
  };
}

function readSegment(line: string): readonly Segment[] {
  const [from, to, payload] = line.split(' ');
  return payload === undefined ? [] : [{ from: Number(from), to: Number(to), payload: Buffer.from(payload, 'base64') }];
}

/** Whether a text was to be read in either direction. */
export function isReadable(segments: readonly Segment[], words: string): boolean {
  return segments.some(({ payload }) => payload.includes(words));
}
