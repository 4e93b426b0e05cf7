/**
 * How a captured request is keyed by the address that was called: Envoy asks for a virtual host by the authority, so a script
 * puts the address there before the on-demand filter, and another puts the app's own Host back behind it. In between the Host
 * waits in the request's metadata, where the app can neither see nor set anything.
 */

import type { Message } from '../envoy/types.js';
import { typed } from '../envoy/types.js';

type HttpFilter = Message<'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter'>;

/** The on-demand filter starts the request anew once it has what it asked for; the metadata stays, and says that it is done. */
const byAddress = `function envoy_on_request(handle)
  local info = handle:streamInfo()
  local metadata = info:dynamicMetadata()
  if metadata:get("weft") == nil then
    local called = info:downstreamLocalAddress()
    local headers = handle:headers()
    metadata:set("weft", "host", headers:get(":authority") or called)
    headers:replace(":authority", called)
  end
end
`;

const byHost = `function envoy_on_request(handle)
  local weft = handle:streamInfo():dynamicMetadata():get("weft")
  if weft ~= nil then
    handle:headers():replace(":authority", weft.host)
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
