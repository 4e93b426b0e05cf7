/** What a caller may ask for by name. Whatever is not allowed here is denied. */
import type { ResourceType } from '../envoy/resource.js';
import { leafName, rootsName } from '../model/secret-names.js';

/** Whether a name may be asked for. */
type Rule = (subject: object | undefined, name: string) => boolean;

/** What the compiler makes for the caller's own audience, whatever the name: it is told no more than what the mesh tells each of its callers. */
const compiled: Rule = () => true;

const ownNames: ReadonlySet<string> = new Set([leafName, rootsName]);

/** A name here is always that of the caller's own Secret: another's has no name at all. */
const own: Rule = (subject, name) => subject !== undefined && ownNames.has(name);

const rules: Readonly<Record<ResourceType, Rule>> = {
  Cluster: compiled,
  ClusterLoadAssignment: compiled,
  Listener: compiled,
  RouteConfiguration: compiled,
  VirtualHost: compiled,
  Secret: own,
};

/** Whether the subject may have the resource of this type and name; `*` stands for all of the type. The subject is undefined where it has no identity. */
export function may(subject: object | undefined, type: string, name: string): boolean {
  return isRuled(type) && rules[type](subject, name);
}

function isRuled(type: string): type is ResourceType {
  return Object.hasOwn(rules, type);
}
