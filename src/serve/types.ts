/** Type URLs of the resources that Weft serves, both ways. */
import { type ResourceType, resourceTypes } from '../envoy/resource.js';
import { typeUrl } from '../envoy/types.js';

const byUrl = new Map<string, ResourceType>();
const urls = new Map<ResourceType, string>();

for (const [type, message] of Object.entries(resourceTypes)) {
  if (!isResourceType(type)) continue;
  byUrl.set(typeUrl(message), type);
  urls.set(type, typeUrl(message));
}

/** The resource type of a type URL, or undefined for one that Weft does not serve. */
export function resourceTypeOf(url: string): ResourceType | undefined {
  return byUrl.get(url);
}

/** The type URL of a resource type. */
export function urlOf(type: ResourceType): string {
  return urls.get(type) ?? '';
}

/** Whether a first request without names stands for everything: for CDS and LDS by the protocol, for VHDS as Envoy does it. */
export function isWildcardType(type: ResourceType): boolean {
  return type === 'Cluster' || type === 'Listener' || type === 'VirtualHost';
}

function isResourceType(name: string): name is ResourceType {
  return Object.hasOwn(resourceTypes, name);
}
