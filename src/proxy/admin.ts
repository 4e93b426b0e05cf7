/** Envoy's admin interface: where a bootstrap puts it, and one request to it. */
import { request } from 'node:http';

/** The part of a bootstrap that says where the admin interface is. */
export interface AdminHolder {
  readonly admin?:
    | {
        readonly address?:
          | {
              readonly pipe?: { readonly path?: string | undefined } | undefined;
              readonly socket_address?: { readonly address?: string | undefined; readonly port_value?: number | undefined } | undefined;
            }
          | undefined;
      }
    | undefined;
}

/** Where to connect to, in the words of node:http. */
export type AdminAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** The address of the admin interface, or undefined when the bootstrap has none or leaves the port to the system. */
export function adminAddress(bootstrap: AdminHolder): AdminAddress | undefined {
  const { pipe, socket_address: socket } = bootstrap.admin?.address ?? {};
  if (pipe?.path) return { socketPath: pipe.path };
  return socket?.address && socket.port_value ? { host: socket.address, port: socket.port_value } : undefined;
}

/** The body of a 2xx answer to `method path`. Throws an Error with the status and body of any other. */
export function callAdmin(address: AdminAddress, path: string, method: 'GET' | 'POST'): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ ...address, path, method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('error', reject).once('end', () => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve(body);
        else reject(new Error(`Envoy's admin interface answered ${method} ${path} with ${status}: ${body.trim()}`));
      });
    });
    call.once('error', reject).end();
  });
}
