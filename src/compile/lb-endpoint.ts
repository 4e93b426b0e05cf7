import type { LbEndpoint } from '../envoy/types.js';
import { mutualTlsPort } from '../model/sidecar-ports.js';
import { matchKey, meshMatch } from './tls.js';

/** An address that takes calls; over mutual TLS at the sidecar's own port, whatever port of the app is meant. */
export function lbEndpoint(address: string, port: number, isMeshed: boolean): LbEndpoint {
  const at = (port_value: number) => ({ endpoint: { address: { socket_address: { address, port_value } } } });
  return isMeshed ? { ...at(mutualTlsPort), metadata: { filter_metadata: { [matchKey]: meshMatch } } } : at(port);
}
