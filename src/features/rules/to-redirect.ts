import type { Message } from '../../envoy/types.js';
import type { Filter, Match } from './schema.js';
import { toPathRewrite } from './to-path.js';

type Redirect = NonNullable<Filter['requestRedirect']>;
type RedirectAction = Message<'envoy.config.route.v3.RedirectAction'>;

const codes = { 301: 'MOVED_PERMANENTLY', 302: 'FOUND', 303: 'SEE_OTHER', 307: 'TEMPORARY_REDIRECT', 308: 'PERMANENT_REDIRECT' } as const;
const defaultPorts = { http: 80, https: 443 } as const;

/** The answer to a request that this match has let through, sent to this port of the Service. */
export function toRedirect(redirect: Redirect, match: Match, servicePort: number): RedirectAction {
  const { scheme, hostname, path, statusCode = 302 } = redirect;
  const port = redirectPort(redirect, servicePort);
  return {
    ...(scheme ? { scheme_redirect: scheme } : {}),
    ...(hostname ? { host_redirect: hostname } : {}),
    ...(port === undefined ? {} : { port_redirect: port }),
    ...(path?.type === 'ReplaceFullPath' ? { path_redirect: path.replaceFullPath || '/' } : toPathRewrite(path, match)),
    response_code: codes[statusCode],
  };
}

/**
 * The port to write into the location; undefined when Envoy writes the right one by itself. The port meant is the one given,
 * else that of the scheme given, else that of the request (HTTPRequestRedirectFilter.port).
 */
function redirectPort({ scheme, hostname, port }: Redirect, servicePort: number): number | undefined {
  const wanted = port ?? (scheme ? defaultPorts[scheme] : servicePort);
  const isDefault = wanted === defaultPorts[scheme ?? 'http'];
  if (hostname) return isDefault ? undefined : wanted;
  const hostIsRight = wanted === servicePort || (isDefault && servicePort === defaultPorts.http);
  return hostIsRight ? undefined : wanted;
}
