/** The body of a request, up to a bound. */
import type { IncomingMessage } from 'node:http';

/** How much is read, and how long. */
export interface BodyBounds {
  readonly most: number;
  readonly ms: number;
  /** Takes room for so many bytes; false when there is none. */
  readonly grow: (bytes: number) => boolean;
}

/** What stands in the way of a body: it is longer than `most` bytes, was not there within `ms`, or found no room. */
export type BodyProblem = 'large' | 'late' | 'crowded';

/** The whole body, or why there is none. Rejects when the caller goes away in the middle. */
export function readBody(request: IncomingMessage, { most, ms, grow }: BodyBounds): Promise<Buffer | BodyProblem> {
  if (Number(request.headers['content-length'] ?? 0) > most) return Promise.resolve('large');
  return new Promise<Buffer | BodyProblem>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => resolve('late'), ms);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      const problem = bytes > most ? 'large' : grow(chunk.length) ? undefined : 'crowded';
      if (!problem) return chunks.push(chunk);
      request.pause();
      return resolve(problem);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the caller went away before its request was complete'));
    });
  });
}
