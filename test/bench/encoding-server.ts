/**
 * The same server as `weft serve`, with a choice: `shared`, as it is, where a resource is encoded once and every stream sends
 * the same bytes; or `per-stream`, where each stream encodes what it sends. For the comparison of the two, and for nothing else.
 */
import { parseArgs } from 'node:util';
import { parsers } from '../../src/commands/parsers.js';
import { createCompiler } from '../../src/compile/compiler.js';
import { createController } from '../../src/controller.js';
import { encode } from '../../src/envoy/encode.js';
import { startAdmin } from '../../src/observe/admin.js';
import { createRegistry } from '../../src/serve/registry.js';
import { createScheduler } from '../../src/serve/scheduler.js';
import { startServer } from '../../src/serve/server.js';
import type { Entry } from '../../src/snapshot/entry.js';
import type { Resource } from '../../src/snapshot/resource.js';
import type { Scopes } from '../../src/snapshot/scopes.js';
import { watchFolder } from '../../src/sources/files.js';
import { createStore } from '../../src/sources/store.js';

const text = { type: 'string', default: '' } as const;
const { values, positionals } = parseArgs({ allowPositionals: true, options: { manifests: text, listen: text, admin: text } });
const controller = createController({
  store: createStore(),
  compiler: createCompiler(),
  onDefect: (name, error) => process.stderr.write(`${name.type} ${name.name}: ${error}\n`),
});
const source = await watchFolder({ dir: values.manifests, parsers, onChange: controller.apply });
await source.ready;
await startServer({
  listen: values.listen,
  authenticate: async () => ({}),
  context: {
    scopes: positionals[0] === 'per-stream' ? encodingPerStream(controller.scopes) : controller.scopes,
    registry: createRegistry(),
    scheduler: createScheduler(),
    classify: controller.classify,
    may: () => true,
    clock: Date.now,
    onRefusal: (node, typeUrl, message) => process.stderr.write(`${node.id} refused ${typeUrl}: ${message}\n`),
  },
});
const [host = '', port = ''] = values.admin.split(':');
await startAdmin(host, Number(port), { isReady: () => true, status: () => ({}), ports: () => ({}) });

/** Scopes whose resources are encoded again for each stream that asks. */
function encodingPerStream<Audience>(scopes: Scopes<Audience>): Scopes<Audience> {
  return {
    ...scopes,
    join: (who, member) => {
      const scope = scopes.join(who, member);
      return {
        ...scope,
        entry: (type, name) => {
          const entry = scope.entry(type, name);
          return entry && { ...entry, current: () => encodingAgain(entry) };
        },
        accept: ({ type, name }, version) => {
          const entry = scope.entry(type, name);
          if (entry) scope.accept(entry, version);
        },
      };
    },
  };
}

/** The current resource, its bytes made when they are looked at. */
function encodingAgain(entry: Entry): Resource | undefined {
  const resource = entry.current();
  if (!resource) return undefined;
  let bytes: Buffer | undefined;
  return {
    ...resource,
    get delta() {
      bytes ??= encodeDelta(resource);
      return bytes;
    },
  };
}

function encodeDelta({ type, name, version, message }: Resource): Buffer {
  return encode('envoy.service.discovery.v3.Resource', { name, version, aliases: type === 'VirtualHost' ? [name] : [], resource: message });
}
