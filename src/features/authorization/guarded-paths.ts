import type { HttpConnectionManager } from '../../envoy/types.js';

/**
 * How a connection manager reads a path where rules are about paths: dot segments are resolved and slashes merged before the rules see
 * it, and the app gets that path. An encoded slash stays what it is, since apps tell the two apart.
 */
export const normalizedPaths = {
  normalize_path: true,
  merge_slashes: true,
  path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
} as const satisfies HttpConnectionManager;

/** The same where calls are authorized. A header name with an underscore is refused, since some servers take it for the one with a hyphen. */
export const guardedPaths = {
  ...normalizedPaths,
  common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' },
} as const satisfies HttpConnectionManager;
