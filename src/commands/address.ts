/** `host:port` as flags give it. */
import { isIP } from 'node:net';

/** A host and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `127.0.0.1:15010`, `[::1]:15010` or `localhost:15010`. Throws an Error that names the flag. */
export function readHostPort(text: string, flag: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) throw new Error(`${flag} is ${JSON.stringify(text)}; give host:port, such as 127.0.0.1:15010`);
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Whether nobody outside this machine can reach the host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
