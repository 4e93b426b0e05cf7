import type { Mesh, Topic } from '../model/mesh.js';

/** A mesh that writes down what it is asked. */
export interface TrackedMesh {
  readonly mesh: Mesh;
  /** The topics of all look-ups so far, those that found nothing too. */
  readonly topics: ReadonlySet<Topic>;
}

/** Wraps a mesh, so that no dependency of an answer can be forgotten: whoever looks something up depends on it. */
export function track(mesh: Mesh): TrackedMesh {
  const topics = new Set<Topic>();
  const noting =
    <Key extends string, Value>(kind: string, lookUp: (key: Key) => Value) =>
    (key: Key): Value => {
      topics.add(`${kind}:${key}`);
      return lookUp(key);
    };
  const tracked: Mesh = {
    service: noting('service', mesh.service),
    endpoints: noting('endpoints', mesh.endpoints),
    identities: noting('identities', mesh.identities),
    selecting: noting('selecting', mesh.selecting),
    policies: noting('policies', mesh.policies),
    at: noting('address', mesh.at),
    pod: noting('pod', mesh.pod),
    zone: noting('node', mesh.zone),
    ports: () => {
      topics.add('ports');
      return mesh.ports();
    },
    config: () => {
      topics.add('config');
      return mesh.config();
    },
  };
  return { mesh: tracked, topics };
}
