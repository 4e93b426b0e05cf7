/** Whether the API server reaches Weft's webhooks and trusts them: their configurations, and a call of each that leaves nothing behind. */
import { Buffer } from 'node:buffer';
import { KubeError } from '../../kubernetes/api.js';
import { validity } from './certificate.js';
import { type Check, type Finding, failed, ok, warning } from './finding.js';
import { find, listAt, textAt } from './look.js';

function configuration(resource: string, name: string): Check {
  const check = `webhook ${name}`;
  return {
    name: check,
    run: async ({ client, now }) => {
      const found = await find(client, `/apis/admissionregistration.k8s.io/v1/${resource}/${name}`);
      if (found === undefined) return [failed(check, `there is no ${resource}/${name}`, 'install Weft again: weft install')];
      const bundles = new Set(listAt(found, 'webhooks').map((webhook) => textAt(webhook, 'clientConfig', 'caBundle')));
      return [judgeBundles(check, [...bundles], now())];
    },
  };
}

function judgeBundles(check: string, bundles: readonly string[], now: number): Finding {
  const remedy = `see the log of ${check.replace('webhook ', '')}, which sets caBundle within seconds; a GitOps tool must leave that field alone`;
  const [bundle] = bundles;
  if (!bundle) return failed(check, 'has no caBundle, so the API server cannot call it', remedy);
  if (bundles.length > 1) return failed(check, 'its webhooks have different caBundles', remedy);
  const { state, message } = validity(Buffer.from(bundle, 'base64').toString(), now);
  if (state === 'valid') return ok(check, `caBundle holds ${message}`);
  return state === 'soon' ? warning(check, `caBundle holds ${message}`, remedy) : failed(check, `caBundle holds ${message}`, remedy);
}

/** What the API server says when it could not call a webhook. */
const unreachable = /failed calling webhook/;

const injectorAnswers: Check = {
  name: 'injector answers',
  run: async ({ client }) => {
    const name = 'injector answers';
    const metadata = { name: 'weft-check', labels: { 'weft.dev/inject': 'true' } };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'app', image: 'none' }] } };
    try {
      const pod = await client.request({ method: 'POST', path: '/api/v1/namespaces/default/pods', query: { dryRun: 'All' }, body });
      if (textAt(pod, 'metadata', 'annotations', 'weft.dev/injected'))
        return [ok(name, 'the API server calls it, and a trial Pod in namespace default gets a sidecar')];
      return [
        failed(name, 'a trial Pod with the label gets no sidecar', 'see failurePolicy of the MutatingWebhookConfiguration, and the log of weft-injector'),
      ];
    } catch (error) {
      return [ofTrialPod(name, error)];
    }
  },
};

function ofTrialPod(name: string, error: unknown): Finding {
  if (!(error instanceof KubeError)) throw error;
  if (unreachable.test(error.message)) return failed(name, error.message, `meshed Pods cannot start; ${howToReach('weft-injector')}`);
  if (error.message.includes('injector.weft.dev" denied'))
    return ok(name, `the API server calls it; it refuses a trial Pod in namespace default: ${error.message}`);
  return warning(
    name,
    `a trial Pod in namespace default was refused: ${error.message}`,
    'run weft check as somebody who may create Pods there, in a namespace that allows them',
  );
}

function howToReach(deployment: string): string {
  return `see that ${deployment} is ready, and that the API server may connect to its port 15017 (firewall of the nodes, NetworkPolicy)`;
}

/** The schema accepts this policy; Weft alone sees that the expression is none. */
const brokenPolicy = {
  apiVersion: 'weft.dev/v1alpha1',
  kind: 'TrafficPolicy',
  metadata: { name: 'weft-check' },
  spec: {
    targetRefs: [{ kind: 'Service', name: 'weft-check' }],
    rules: [{ matches: [{ path: { type: 'RegularExpression', value: '/(' } }], backendRefs: [{ name: 'weft-check', port: 80 }] }],
  },
};

const validatorAnswers: Check = {
  name: 'validator answers',
  run: async ({ client }) => {
    const name = 'validator answers';
    const path = '/apis/weft.dev/v1alpha1/namespaces/default/trafficpolicies';
    try {
      await client.request({ method: 'POST', path, query: { dryRun: 'All' }, body: brokenPolicy });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.message.includes('policies.weft.dev')) return [ok(name, 'the API server calls it, and it refuses a broken trial policy')];
      return [
        warning(
          name,
          `a trial policy was refused by something else: ${error.message}`,
          'run weft check as somebody who may create TrafficPolicies in namespace default',
        ),
      ];
    }
    return [warning(name, 'a broken trial policy is accepted, so the API server does not reach the webhook', howToReach('weft-controller'))];
  },
};

/** Configurations and calls. */
export const webhookChecks: readonly Check[] = [
  configuration('mutatingwebhookconfigurations', 'weft-injector'),
  injectorAnswers,
  configuration('validatingwebhookconfigurations', 'weft-controller'),
  validatorAnswers,
];
