/** What goes over the cable of a pod, recorded on the node by tcpdump. */

import { onNode } from './node.js';
import { readPcap, type Segment } from './pcap.js';

/** Two ends of TCP connections, by their addresses. */
export interface Ends {
  /** Its cable is listened to. */
  readonly pod: string;
  readonly peer: string;
}

/** Records all TCP between two pods until the function in the answer is called. */
export async function capture({ pod, peer }: Ends): Promise<() => Promise<readonly Segment[]>> {
  const file = `/tmp/weft-capture-${pod}`;
  await onNode(`
    command -v tcpdump >/dev/null || { echo 'the node has no tcpdump; install it there' >&2; exit 1; }
    for space in /run/netns/*; do
      nsenter --net=$space ip -o address | grep -qF ' ${pod}/' && break
    done
    nsenter --net=$space ip -o address | grep -qF ' ${pod}/' || { echo 'no network namespace of the node has the address ${pod}' >&2; exit 1; }
    nsenter --net=$space tcpdump -i eth0 --immediate-mode -B 65536 -U -w ${file} 'tcp and host ${peer}' >/dev/null 2>${file}.log &
    echo $! >${file}.pid
    until grep -q listening ${file}.log; do kill -0 $! || { cat ${file}.log >&2; exit 1; }; sleep 0.1; done`);
  return async () => {
    const text = await onNode(`
      kill -INT $(cat ${file}.pid)
      while kill -0 $(cat ${file}.pid) 2>/dev/null; do sleep 0.1; done
      base64 -w0 ${file}
      rm -f ${file} ${file}.log ${file}.pid`);
    return readPcap(Buffer.from(text, 'base64'));
  };
}
