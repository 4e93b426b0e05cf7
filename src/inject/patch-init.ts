/** The container that redirects the pod's traffic before anything else in it runs. */
import type { PodOptions } from './annotations.js';
import { proxyUid } from './decision.js';
import { apiTokenFolder, emptyVolume, initName } from './names.js';
import type { Container } from './pod.js';
import { redirectRules } from './redirect.js';
import type { InjectSettings } from './settings.js';

/** `weft-init`: root with the one capability that rules need, for a moment. It sets the same rules however often it runs. */
export function initContainer(settings: InjectSettings, options: PodOptions): Container {
  const rules = { ...options, proxyUid };
  return {
    name: initName,
    image: settings.initImage,
    imagePullPolicy: 'IfNotPresent',
    env: [
      { name: 'WEFT_RULES_IPV4', value: redirectRules(rules, 'IPv4') },
      { name: 'WEFT_RULES_IPV6', value: redirectRules(rules, 'IPv6') },
    ],
    resources: { limits: { cpu: '200m', memory: '64Mi' }, requests: { cpu: '10m', memory: '16Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: emptyVolume, mountPath: apiTokenFolder, readOnly: true }],
  };
}
