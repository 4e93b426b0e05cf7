/** The volumes that the sidecar needs. */
import { adminVolume, emptyVolume, trustVolume } from './names.js';
import type { Volume } from './pod.js';

/** The ConfigMap, in each namespace with meshed pods, that says whom to trust. */
const trustConfigMap = 'weft-ca';

/** The token is one for Weft alone, bound to the pod; the kubelet renews it. A pod that opts out of its ServiceAccount's token has it nevertheless. */
const trust: Volume = {
  name: trustVolume,
  projected: {
    defaultMode: 0o644,
    sources: [
      { configMap: { name: trustConfigMap, items: ['ca.crt', 'token.json', 'ca.json'].map((key) => ({ key, path: key })) } },
      { serviceAccountToken: { audience: 'weft', expirationSeconds: 3_600, path: 'token' } },
    ],
  },
};

/** All of them. */
export const volumes: readonly Volume[] = [
  trust,
  { name: adminVolume, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
  { name: emptyVolume, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
];
