/** The REST path under which the API server has all the objects of a kind. */

/** From `discovery.k8s.io/v1/EndpointSlice` to `/apis/discovery.k8s.io/v1/endpointslices`: every namespace's. */
export function collectionPath(id: string): string {
  const slash = id.lastIndexOf('/');
  const [apiVersion, kind] = [id.slice(0, slash), id.slice(slash + 1)];
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/${pluralOf(kind.toLowerCase())}`;
}

/** As Kubernetes names its own kinds: ingresses, meshes, trafficpolicies, pods. */
function pluralOf(singular: string): string {
  if (/(s|x|ch|sh)$/.test(singular)) return `${singular}es`;
  return /[^aeiou]y$/.test(singular) ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}
