/** What every mode of `weft serve` runs: the store, the compiler, the loop between them, and those who are connected. */
import { type Compiler, createCompiler } from '../../compile/compiler.js';
import { diagnose, type World } from '../../compile/diagnose.js';
import { withoutIdentities } from '../../compile/server-problems.js';
import type { MeshSettings } from '../../compile/settings.js';
import { type Controller, createController } from '../../controller.js';
import { standInForMany } from '../../features/stand-in.js';
import type { Diagnostic } from '../../model/diagnostic.js';
import type { Service } from '../../model/service.js';
import type { Logger } from '../../observe/log.js';
import { type ProcessFigures, watchProcess } from '../../observe/process.js';
import { createRegistry, type Registry } from '../../serve/registry.js';
import { createStore, type Store, type StoreOptions } from '../../sources/store.js';
import { type PortRow, portRows } from '../../status/ports.js';
import { type Status, statusOf } from '../status-report.js';

/** The assembled core. */
export interface Core {
  readonly logger: Logger;
  readonly store: Store;
  readonly compiler: Compiler;
  readonly controller: Controller;
  readonly registry: Registry;
  readonly world: () => World;
  readonly processFigures: () => ProcessFigures;
  /** What a source has found wrong with its objects; new findings are logged. */
  readonly report: (all: readonly Diagnostic[]) => void;
  /** All that is known to be wrong with the objects, by themselves and among each other. */
  readonly diagnostics: () => readonly Diagnostic[];
  /** The body of `/status`. */
  readonly status: () => Status;
  /** The body of `/ports`: of all Services, or of those in one namespace. */
  readonly ports: (namespace: string | undefined) => { readonly ports: readonly PortRow[] };
}

/** A core over an empty world. */
export function createCore(settings: Partial<MeshSettings>, logger: Logger, source: StoreOptions = {}): Core {
  const processFigures = watchProcess();
  const store = createStore({ ...source, standIn: (policies) => standInForMany(policies).policy });
  const compiler = createCompiler(settings);
  const onDefect = (name: object, error: unknown) =>
    logger.error({ ...name, error: String(error) }, 'a compiled resource is invalid and is not sent; this is a defect of Weft');
  const controller = createController({ store, compiler, onDefect });
  const registry = createRegistry();
  let found: readonly Diagnostic[] = [];
  const world = () => ({ mesh: store.mesh, services: store.services(), policies: store.policies(), outOfBudget: store.outOfBudget() });
  const idle = () => (settings.mtls ? [] : store.policies().flatMap(withoutIdentities));
  const diagnostics = () => [...found, ...diagnose(world(), compiler), ...idle()];
  const figures = () => ({ process: processFigures(), compilations: controller.compilations(), names: controller.snapshot.size() });
  return {
    ...{ logger, store, compiler, controller, registry, world, processFigures, diagnostics },
    report: (all) => {
      logNew(logger, found, all);
      found = all;
    },
    status: () => statusOf(registry, diagnostics(), figures()),
    ports: (namespace) => ({ ports: portRows(servicesOf(store, namespace)) }),
  };
}

function servicesOf({ mesh, services }: Store, namespace: string | undefined): readonly Service[] {
  return services().flatMap((key) => {
    const service = namespace === undefined || key.startsWith(`${namespace}/`) ? mesh.service(key) : undefined;
    return service ?? [];
  });
}

function logNew(logger: Logger, before: readonly Diagnostic[], now: readonly Diagnostic[]): void {
  const known = new Set(before.map((diagnostic) => JSON.stringify(diagnostic)));
  for (const diagnostic of now) {
    if (!known.has(JSON.stringify(diagnostic))) logger[diagnostic.severity === 'error' ? 'error' : 'warn'](diagnostic, 'an object is not as it should be');
  }
}
