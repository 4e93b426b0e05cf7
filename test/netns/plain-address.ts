/** The address as it is written: one of IPv4 that a socket for both families shows as `::ffff:10.0.0.1`, without that. */
export function plainAddress(address = ''): string {
  return address.replace(/^::ffff:/, '');
}
