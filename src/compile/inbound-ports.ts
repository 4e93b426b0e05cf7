/** The ports of a workload that Services lead to: what its sidecar takes calls for. */
import type { ServerStanza } from '../features/feature.js';
import { filingsOf, selectsLasting } from '../model/labels.js';
import type { Mesh } from '../model/mesh.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { formatRef } from '../model/name.js';
import type { Protocol, Service, ServicePort } from '../model/service.js';
import { sidecarPorts } from '../model/sidecar-ports.js';
import type { Audience } from './contract.js';
import type { MemoKey } from './memo.js';
import { type ServerStanzas, serverStanzas } from './server-stanzas.js';
import { serverName } from './tls.js';

/** A port of the app. */
export interface InboundPort {
  readonly number: number;
  /** That of the Services, or TCP where they disagree: bytes are passed on whatever they are. */
  readonly protocol: Protocol;
  /** How callers name it. */
  readonly serverNames: readonly string[];
  /** The Service that telemetry and policies name, the oldest; and its port. */
  readonly service: Service;
  readonly port: ServicePort;
  /** Whether plaintext is refused. */
  readonly strict: boolean;
  /** By stanza, those of all the Services, in the order of their age. */
  readonly stanzas: ServerStanzas;
}

/** A port of a Service that leads to the workload. */
export interface InboundUse {
  readonly service: Service;
  readonly port: ServicePort;
  readonly number: number;
  readonly stanzas: ServerStanzas;
}

/** All uses of a workload's ports, those of the oldest Service first: one that is added changes nothing of the others, and ends no connection. One that leads to a port of the sidecar itself leads nowhere. */
export function inboundUses(mesh: Mesh, { namespace, labels, ports }: Audience): readonly InboundUse[] {
  const services = filingsOf(namespace, labels).flatMap((filing) => mesh.selecting(filing));
  return services
    .filter(({ selector }) => selectsLasting(selector, labels))
    .sort(byAge)
    .flatMap((service) =>
      service.ports.flatMap((port) => {
        const number = typeof port.targetPort === 'number' ? port.targetPort : ports.get(port.targetPort);
        return number === undefined || sidecarPorts.includes(number) ? [] : [{ service, port, number, stanzas: serverStanzas(mesh, service, port) }];
      }),
    );
}

function byAge(a: Service, b: Service): number {
  const [first, second] = [a, b].map(({ creationTimestamp, key }) => `${creationTimestamp || '~'} ${key}`);
  return String(first) < String(second) ? -1 : 1;
}

/** What the ports follow from, for a memo. */
export function keysOf(uses: readonly InboundUse[]): readonly MemoKey[] {
  return uses.flatMap(({ service, port, number, stanzas }) => [service, port, number, stanzas]);
}

/** The ports, ascending. */
export function inboundPorts(uses: readonly InboundUse[], mtls: MeshConfig['mtls']): readonly InboundPort[] {
  const numbers = [...new Set(uses.map(({ number }) => number))].sort((a, b) => a - b);
  return numbers.flatMap((number) => {
    const own = uses.filter((use) => use.number === number);
    const [first] = own;
    if (!first) return [];
    return {
      number,
      protocol: own.every(({ port }) => (port.protocol === 'TCP') === (first.port.protocol === 'TCP')) ? first.port.protocol : 'TCP',
      serverNames: [...new Set(own.map(({ port }) => serverName(port)))].sort(),
      service: first.service,
      port: first.port,
      strict: isStrict(own, mtls),
      stanzas: together(own.map(({ stanzas }) => stanzas)),
    };
  });
}

/** The strictest that policies say for any of the Services, since a caller in plaintext does not say which it means; what the Mesh says where they say nothing. */
function isStrict(uses: readonly InboundUse[], otherwise: MeshConfig['mtls']): boolean {
  const said = uses.flatMap(({ stanzas }) => modeOf(stanzas) ?? []);
  return said.length > 0 ? said.includes('Strict') : otherwise === 'Strict';
}

/** What the most specific `tls` stanza that says a mode says, if any does; those in Shadow mode do not count. */
export function modeOf(stanzas: ServerStanzas): string | undefined {
  const enforced = (stanzas.get('tls') ?? []).filter(({ mode }) => mode !== 'Shadow');
  return enforced.flatMap(({ value }) => ('mode' in value && typeof value.mode === 'string' ? [value.mode] : []))[0];
}

/** A policy that speaks of several of the Services is one policy still. */
function together(all: readonly ServerStanzas[]): ServerStanzas {
  const names = [...new Set(all.flatMap((stanzas) => [...stanzas.keys()]))].sort();
  return new Map(names.map((name) => [name, oncePerPolicy(all.flatMap((stanzas) => stanzas.get(name) ?? []))]));
}

function oncePerPolicy(stanzas: readonly ServerStanza<object>[]): readonly ServerStanza<object>[] {
  return [...new Map(stanzas.toReversed().map((stanza) => [formatRef(stanza.policy), stanza])).values()].toReversed();
}
