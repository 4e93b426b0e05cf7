import type { ConfigSource } from '../envoy/types.js';

/** Over the stream that the proxy already has. Never give up waiting: after Envoy's default of 15 s it would go on with nothing. */
export const ads: ConfigSource = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

/**
 * For endpoints, which are always sent right behind their Cluster. Should they get lost (a control plane that dies between the
 * two), Envoy goes on with those it has: a cluster that waits for its endpoints would hold up the first call of every other.
 */
export const adsForEndpoints: ConfigSource = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '2s' };
