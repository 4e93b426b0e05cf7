/** From an object as the API server or a file gives it to the settings of the mesh, or to words about what is wrong with it. */
import { Value } from 'typebox/value';
import type { Diagnostic } from '../model/diagnostic.js';
import { defaultMeshConfig, type MeshConfig } from '../model/mesh-config.js';
import { nameOf, toDiagnostic } from './diagnostic.js';
import { meshSchema } from './mesh-schema.js';
import type { Problem } from './problem.js';
import { telemetryProblems, toTelemetry } from './telemetry.js';
import { validate } from './validate.js';

/** Settings unless a diagnostic is an error. */
export interface ParsedMesh {
  readonly config?: MeshConfig;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks a Mesh and reads its settings, with defaults for those that it leaves out. Never throws. */
export function parseMesh(raw: unknown): ParsedMesh {
  const problems = validate(meshSchema, raw);
  if (!Value.Check(meshSchema, raw) || problems.length > 0) return refused(raw, problems);
  const more = telemetryProblems(raw.spec?.telemetry);
  if (more.length > 0) return refused(raw, more);
  return { config: { ...defaultMeshConfig, ...raw.spec, telemetry: toTelemetry(raw.spec?.telemetry) }, diagnostics: [] };
}

function refused(raw: unknown, problems: readonly Problem[]): ParsedMesh {
  const object = { kind: 'Mesh', namespace: '', name: nameOf(raw) };
  return { diagnostics: problems.map((problem) => toDiagnostic(object, 'error', problem)) };
}
