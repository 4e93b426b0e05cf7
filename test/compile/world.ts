/** Small worlds for the compiler's tests: objects as YAML, in a real store. */
import { parseAllDocuments } from 'yaml';
import { parsers } from '../../src/commands/parsers.js';
import type { Change } from '../../src/sources/change.js';
import { createStore, type Store } from '../../src/sources/store.js';

/** The changes that these documents stand for. Throws on a document with an error. */
export function changesOf(yaml: string): readonly Change[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    const raw: { readonly apiVersion: string; readonly kind: string } = document.toJS();
    const { object, diagnostics } = parsers[`${raw.apiVersion}/${raw.kind}`]?.parse(raw) ?? { diagnostics: [] };
    if (!object) throw new Error(JSON.stringify(diagnostics));
    return [object];
  });
}

/** A store that holds these documents. */
export function storeOf(...yaml: readonly string[]): Store {
  const store = createStore();
  store.apply(yaml.flatMap(changesOf));
  return store;
}

/** A Service `NAME` in `shop` with the HTTP port 9080. */
export function service(name: string, clusterIP: string, more = ''): string {
  return `{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: shop}, spec: {clusterIP: "${clusterIP}", ports: [{name: http, port: 9080}]${more}}}`;
}

/** An EndpointSlice of a Service in `shop`: ready endpoints, each in a zone. */
export function slice(name: string, endpoints: Readonly<Record<string, string>>): string {
  const items = Object.entries(endpoints).map(([address, zone]) => `{addresses: ["${address}"], conditions: {ready: true}, zone: ${zone}}`);
  return `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: ${name}-a, namespace: shop, labels: {kubernetes.io/service-name: ${name}}}, addressType: IPv4, ports: [{name: http, port: 8080}], endpoints: [${items.join(', ')}]}`;
}

/** A TrafficPolicy about a Service in `shop`. */
export function policy(name: string, target: string, stanzas: string, namespace = 'shop'): string {
  const ref = `{kind: Service, name: ${target}, namespace: shop}`;
  return `{apiVersion: weft.dev/v1alpha1, kind: TrafficPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: {targetRefs: [${ref}], ${stanzas}}}`;
}
