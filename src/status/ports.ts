/** Which protocol each port of each Service is taken to speak, and why: it decides how calls are treated. Pure. */
import type { Service } from '../model/service.js';

/** One row of the table of ports. */
export interface PortRow {
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly port: number;
  /** Empty where the port has none. */
  readonly name: string;
  readonly protocol: Service['ports'][number]['protocol'];
  /** What said so: `appProtocol grpc`, `port name http-web`, `port number 80`, `nothing said`. */
  readonly reason: string;
}

/** A row for each TCP port of these Services, in their order and then by number. */
export function portRows(services: readonly Service[]): readonly PortRow[] {
  return services.flatMap(({ key, ports }) =>
    ports
      .toSorted((a, b) => a.port - b.port)
      .map(({ port, name, protocol, protocolReason }) => ({ service: key, port, name, protocol, reason: protocolReason })),
  );
}
