/** The stream of a watch: one JSON object a line, cut into chunks anywhere, even within a character. */
import { KubeError, type WatchEvent } from './api.js';
import { isPlain, textOf } from './plain.js';

/** The largest event that is taken in, in bytes; etcd holds no object of more than 1.5 MB. */
const maxLineBytes = 16 * 1024 * 1024;

/** Takes chunks and hands on events. Throws an Error for what is no event, and a KubeError for an ERROR event. */
export function createEventReader(onEvent: (event: WatchEvent) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let size = 0;
  const take = (part: Buffer) => {
    size += part.length;
    if (size > maxLineBytes) throw new Error(`an event of the watch is larger than ${maxLineBytes} bytes`);
    parts.push(part);
  };
  const finish = () => {
    const line = Buffer.concat(parts).toString('utf8');
    parts = [];
    size = 0;
    if (line.trim() !== '') onEvent(readEvent(line));
  };
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      take(chunk.subarray(start, end));
      start = end + 1;
      finish();
    }
    if (start < chunk.length) take(chunk.subarray(start));
  };
}

const types = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] as const;

function readEvent(line: string): WatchEvent {
  const raw: unknown = JSON.parse(line);
  const type = types.find((known) => known === textOf(raw, 'type'));
  if (!type || !isPlain(raw)) throw new Error(`the watch sent something that is no event: ${line.slice(0, 200)}`);
  if (type === 'ERROR') throw statusError(raw['object']);
  return { type, object: raw['object'] };
}

function statusError(status: unknown): KubeError {
  const code = isPlain(status) ? status['code'] : undefined;
  return new KubeError(typeof code === 'number' ? code : 500, textOf(status, 'reason') || 'Unknown', textOf(status, 'message') || 'the watch has failed');
}
