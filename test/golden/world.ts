/** The input of a golden case: ordinary Kubernetes YAML. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { parsers } from '../../src/commands/parsers.js';
import type { Diagnostic } from '../../src/model/diagnostic.js';
import type { Mesh } from '../../src/model/mesh.js';
import type { Key } from '../../src/model/name.js';
import type { Change } from '../../src/sources/change.js';
import { createStore } from '../../src/sources/store.js';

/** What a folder says. */
export interface World {
  readonly changes: readonly Change[];
  readonly diagnostics: readonly Diagnostic[];
  readonly services: readonly Key[];
}

/** Reads every document of these files, and of the files in these folders; a path where nothing is stands for none. */
export async function readWorld(...paths: readonly string[]): Promise<World> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const parsed = texts.flatMap((text) => parseAllDocuments(text).map((document) => parse(document.toJS())));
  const changes = parsed.flatMap(({ object }) => object ?? []);
  return {
    changes,
    diagnostics: parsed.flatMap(({ diagnostics }) => diagnostics),
    services: changes.flatMap((change) => (change.kind === 'Service' && change.object ? [change.object.key] : [])),
  };
}

async function filesAt(path: string): Promise<readonly string[]> {
  if (path.endsWith('.yaml')) return [path];
  const names = await readdir(path, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(path, name));
}

function parse(raw: { readonly apiVersion: string; readonly kind: string }) {
  const parser = parsers[`${raw.apiVersion}/${raw.kind}`];
  if (!parser) throw new Error(`no parser for ${raw.apiVersion}/${raw.kind}`);
  const parsed = parser.parse(raw);
  return parsed.object ? parsed : { diagnostics: parsed.diagnostics, object: parser.standIn?.(raw, true).object };
}

/** The mesh after these changes, one after the other. */
export function meshOf(changes: readonly Change[]): Mesh {
  const store = createStore();
  for (const change of changes) store.apply([change]);
  return store.mesh;
}
