/** Pods that are no sidecars, with what it takes to speak to Weft's own port, or to try. */
import { createSign } from 'node:crypto';
import type { Manifest } from '../../support/manifests.js';
import { pod } from './manifests.js';
import { onNode } from './node.js';

export const deltaMethod = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
export const virtualHostType = 'type.googleapis.com/envoy.config.route.v3.VirtualHost';

/** A pod without a sidecar that has at /var/run/weft what sidecars have, and at /var/run/other a token for another audience. */
export function trustedPod(namespace: string, name: string): Manifest {
  const token = (audience: string) => ({ serviceAccountToken: { path: 'token', audience, expirationSeconds: 3600 } });
  const volumes = [
    { name: 'weft', projected: { sources: [{ configMap: { name: 'weft-ca' } }, token('weft')] } },
    { name: 'other', projected: { sources: [token('vault')] } },
  ];
  const volumeMounts = volumes.map((volume) => ({ name: volume.name, mountPath: `/var/run/${volume.name}` }));
  return pod(namespace, { name, args: ['idle'], isMeshed: false, spec: { volumes }, container: { volumeMounts } });
}

/** The token with other times, signed by the key with which the cluster signs tokens: valid in all but what is changed. */
export async function resigned(token: string, secondsFromNow: { readonly issued: number; readonly expires: number }): Promise<string> {
  const [header = '', payload = ''] = token.split('.');
  const now = Math.floor(Date.now() / 1000);
  const issued = now + secondsFromNow.issued;
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), iat: issued, nbf: issued, exp: now + secondsFromNow.expires };
  const content = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${content}.${createSign('RSA-SHA256')
    .update(content)
    .sign(await signingKey(), 'base64url')}`;
}

/** From the file that the API server's own arguments name. */
function signingKey(): Promise<string> {
  return onNode(`cat "$(tr '\\0' '\\n' </proc/$(pidof kube-apiserver)/cmdline | sed -n 's/^--service-account-signing-key-file=//p')"`);
}
