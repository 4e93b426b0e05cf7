/** The body of a request, up to a bound. */
import type { IncomingMessage } from 'node:http';

/** The whole body; `large` when it is longer than `most` bytes, `late` when it is not there within `ms`. Rejects when the caller goes away in the middle. */
export function readBody(request: IncomingMessage, most: number, ms: number): Promise<Buffer | 'large' | 'late'> {
  if (Number(request.headers['content-length'] ?? 0) > most) return Promise.resolve('large');
  return new Promise<Buffer | 'large' | 'late'>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => resolve('late'), ms);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= most) return chunks.push(chunk);
      request.pause();
      return resolve('large');
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the caller went away before its request was complete'));
    });
  });
}
