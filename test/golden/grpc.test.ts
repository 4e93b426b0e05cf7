/** What proxyless gRPC is sent, read by gRPC itself: by the functions with which its xDS client accepts or refuses a resource. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { register } from '@grpc/grpc-js-xds';
import { ClusterResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/cluster-resource-type.js';
import { EndpointResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/endpoint-resource-type.js';
import { ListenerResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/listener-resource-type.js';
import { RouteConfigurationResourceType } from '@grpc/grpc-js-xds/build/src/xds-resource-type/route-config-resource-type.js';
import protobuf from 'protobufjs/minimal.js';
import { encodeAny } from '../../src/envoy/encode.js';
import type { ResourceType } from '../../src/envoy/resource.js';
import type { Any } from '../../src/envoy/types.js';
import { readCases, renderCase } from './cases.js';

register();

type Context = Parameters<ClusterResourceType['decode']>[0];

const server = { server_uri: 'localhost', channel_creds: [], server_features: [] };
const context: Context = {
  server,
  bootstrap: {
    xdsServers: [server],
    node: { id: 'golden', locality: {} },
    authorities: {},
    clientDefaultListenerResourceNameTemplate: '%s',
    serverListenerResourceNameTemplate: null,
    certificateProviders: {},
  },
};

const readers: Partial<Record<ResourceType, { readonly decode: (context: Context, any: ReturnType<typeof wireForm>) => { readonly error?: string } }>> = {
  Cluster: ClusterResourceType.get(),
  ClusterLoadAssignment: EndpointResourceType.get(),
  Listener: ListenerResourceType.get(),
  RouteConfiguration: RouteConfigurationResourceType.get(),
};

/** A google.protobuf.Any as it comes off the wire. */
function wireForm(message: Any) {
  const reader = protobuf.Reader.create(encodeAny(message));
  reader.uint32();
  const type_url = reader.string();
  reader.uint32();
  return { type_url, value: Buffer.from(reader.bytes()) };
}

for (const each of await readCases()) {
  for (const [name, audience] of Object.entries(each.audiences).filter(([, { client }]) => client === 'grpc')) {
    test(`gRPC accepts every resource of ${each.name}/${name}`, () => {
      const { resources } = renderCase(each, audience);
      assert.ok(resources.length > 0);
      for (const { type, name: resource, message } of resources) {
        assert.equal(readers[type]?.decode(context, wireForm(message)).error, undefined, `${type} ${resource}`);
        assert.ok(readers[type], `${type} is nothing that gRPC asks for`);
      }
    });
  }
}
