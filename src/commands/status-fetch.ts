/** Asks the admin port of a running `weft serve`. */
import { readHostPort } from './address.js';
import type { Status } from './status-report.js';

/** The page as JSON, once `is` has recognized it. Rejects with what to do when nobody answers, or something else does. */
export async function fetchAdmin<Page>(admin: string, path: string, is: (body: unknown) => body is Page): Promise<Page> {
  const { host, port } = readHostPort(admin, '--admin');
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => {
    throw new Error(
      `nobody answers at ${url} (${error.cause instanceof Error ? error.cause.message : error.message}); is weft serve running, with this --admin?`,
    );
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (!is(body)) throw new Error(`${url} answered with something else than expected; is it the admin port of another program, or of another version?`);
  return body;
}

/** Asks the admin port for its status. Rejects with what to do when nobody answers. */
export function fetchStatus(admin: string): Promise<Status> {
  return fetchAdmin(admin, '/status', isStatus);
}

function isStatus(body: unknown): body is Status {
  return typeof body === 'object' && body !== null && 'proxies' in body && 'rejections' in body && 'diagnostics' in body;
}
