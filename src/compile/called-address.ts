/**
 * How a captured request is keyed by the address that was called: Envoy asks for a virtual host by the authority, so a script
 * puts the address there before the on-demand filter, and another puts the app's own Host back behind it. In between the Host
 * waits in a header, which never leaves the proxy.
 */

import type { Message } from '../envoy/types.js';
import { typed } from '../envoy/types.js';

type HttpFilter = Message<'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter'>;

const header = 'x-weft-host';

/** The on-demand filter starts the request anew once it has what it asked for; the authority then is the address already. */
const byAddress = `function envoy_on_request(handle)
  local called = handle:streamInfo():downstreamLocalAddress()
  local headers = handle:headers()
  local authority = headers:get(":authority")
  if authority ~= called then
    headers:replace("${header}", authority or called)
    headers:replace(":authority", called)
  end
end
`;

const byHost = `function envoy_on_request(handle)
  local headers = handle:headers()
  local host = headers:get("${header}")
  if host then
    headers:replace(":authority", host)
    headers:remove("${header}")
  end
end
`;

/** Swaps the called address in for the authority. */
export const addressAsAuthority: HttpFilter = { name: 'weft.called_address', typed_config: lua(byAddress, true) };

/** Swaps the authority back. The route is chosen by now and stays: redirects and rewrites see the Host that the app wrote. */
export const authorityAsWritten: HttpFilter = { name: 'weft.authority', typed_config: lua(byHost, false) };

function lua(script: string, clearRouteCache: boolean) {
  return typed('envoy.extensions.filters.http.lua.v3.Lua', { default_source_code: { inline_string: script }, clear_route_cache: clearRouteCache });
}
