/**
 * The golden cases: `cases/NAME/in/*.yaml` goes in, `cases/NAME/out/AUDIENCE.yaml` comes out, for each audience of
 * `cases/NAME/audiences.yaml`, which may also name examples: those are read where they are.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { createCompiler } from '../../src/compile/compiler.js';
import type { Audience } from '../../src/compile/contract.js';
import { type Rendered, renderAll } from '../../src/compile/render.js';
import type { ResourceName } from '../../src/envoy/resource.js';
import { formatRef } from '../../src/model/name.js';
import { meshOf, readWorld, type World } from './world.js';

/** A case, read from its folder. */
export interface Case {
  readonly name: string;
  readonly folder: string;
  readonly audiences: Readonly<Record<string, Audience>>;
  /** Whether the listeners and other constants are part of the output; elsewhere they would only be noise. */
  readonly constants: boolean;
  /** Whether there is an authority for certificates. */
  readonly mtls: boolean;
  /** Whether policies that cannot be read are the point of it. */
  readonly broken: boolean;
  /** What a client asks for besides: addresses and names that no Service has. */
  readonly asked: readonly ResourceName[];
  readonly world: World;
}

interface CaseFile {
  readonly constants?: boolean;
  readonly mtls?: boolean;
  readonly broken?: boolean;
  /** Files and folders under `examples/`, read besides `in`. */
  readonly examples?: readonly string[];
  readonly audiences: Readonly<Record<string, Partial<Omit<Audience, 'ports'> & { readonly ports: Readonly<Record<string, number>> }>>>;
  readonly asked?: readonly ResourceName[];
}

const anyone: Audience = { namespace: 'shop', zone: '', client: 'captured', explicitPort: 15001, serviceAccount: 'default', labels: {}, ports: new Map() };

/** The sources are read, not the compiled copies, so that goldens can be updated in place. */
const root = fileURLToPath(new URL('../../../test/golden/cases', import.meta.url));
const examples = fileURLToPath(new URL('../../../examples', import.meta.url));

/** Every case, in the order of the names. */
export async function readCases(): Promise<readonly Case[]> {
  return Promise.all((await readdir(root)).sort().map(readCase));
}

async function readCase(name: string): Promise<Case> {
  const folder = join(root, name);
  const file: CaseFile = parse(await readFile(join(folder, 'audiences.yaml'), 'utf8'));
  const audiences = Object.fromEntries(
    Object.entries(file.audiences).map(([key, given]) => [key, { ...anyone, ...given, ports: new Map(Object.entries(given.ports ?? {})) }]),
  );
  return {
    name,
    folder,
    audiences,
    constants: file.constants ?? false,
    mtls: file.mtls ?? false,
    broken: file.broken ?? false,
    asked: file.asked ?? [],
    world: await readWorld(join(folder, 'in'), ...(file.examples ?? []).map((path) => join(examples, path))),
  };
}

/** What the case compiles to for an audience, its objects having arrived in this order. */
export function renderCase({ world, constants, mtls, asked }: Case, audience: Audience, changes = world.changes): Rendered {
  const compiler = createCompiler({ mtls });
  const mesh = meshOf(changes);
  const rendered = renderAll(mesh, compiler, audience, world.services);
  const more = asked.flatMap(({ type, name }) => {
    const { message, provenance } = compiler.compile(mesh, audience, type, name);
    return message ? [{ type, name, message, provenance }] : [];
  });
  const isConstant = new Set(constants ? [] : compiler.constants(audience).map(({ type, name }) => `${type} ${name}`));
  return { ...rendered, resources: [...rendered.resources.filter(({ type, name }) => !isConstant.has(`${type} ${name}`)), ...more] };
}

/** The text of a golden file. */
export function formatRendered({ resources, diagnostics }: Rendered): string {
  const document = {
    resources: resources.map(({ type, name, message, provenance }) => ({
      type,
      name,
      message,
      ...(provenance.length > 0
        ? { provenance: provenance.map(({ object, field, part }) => `${part || '.'} <- ${formatRef(object)}${field ? ` ${field}` : ''}`) }
        : {}),
    })),
    diagnostics: diagnostics.map(({ object, ...rest }) => ({ object: formatRef(object), ...rest })),
  };
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}
