/** What the processes do with the API server, each thing by the code that does it: what the chart must allow, and no more. */

import { followNamespaces } from '../../src/commands/injector/namespaces.js';
import { parsers } from '../../src/commands/parsers.js';
import { openCa } from '../../src/identity/ca.js';
import { setCaBundle } from '../../src/identity/ca-bundle.js';
import { review } from '../../src/identity/review.js';
import { isRefusal } from '../../src/identity/subject.js';
import { publishTrust } from '../../src/identity/trust-config-maps.js';
import { type KubeClient, KubeError } from '../../src/kubernetes/api.js';
import { isPlain, textOf } from '../../src/kubernetes/plain.js';
import { type KindState, watchCluster } from '../../src/sources/kubernetes.js';
import { createEvents } from '../../src/status/events.js';
import { createLease } from '../../src/status/lease.js';
import { systemTimers } from '../../src/status/timers.js';
import { createStatusWriter, type StatusSubject } from '../../src/status/writer.js';

/** Something that a process does. */
export interface Need {
  readonly name: string;
  /** Makes it necessary again, by one who may do everything. */
  readonly prepare?: (admin: KubeClient) => Promise<unknown>;
  /** Rejects with the API server's words when it is not allowed. */
  readonly run: (client: KubeClient) => Promise<unknown>;
}

/** Where the chart is installed. */
export const weftNamespace = 'weft-system';

/** What the objects are about that the needs touch; they must exist: a namespace, and in it a TrafficPolicy, and the Mesh `default`. */
export const subjects = { namespace: 'shop', policy: 'reviews', mesh: 'default' } as const;

let counter = 0;

/** The needs of `weft serve --kubernetes`; `bundle` is any certificate as PEM text. */
export function controllerNeeds(bundle: string): readonly Need[] {
  const { namespace, policy, mesh } = subjects;
  const apiVersion = 'weft.dev/v1alpha1';
  return [
    ...Object.keys(parsers).map((id) => ({ name: `follow ${id}`, run: (client: KubeClient) => followKind(client, id) })),
    authority('weft-ca'),
    authority('weft-webhook-ca'),
    caBundle('validatingwebhookconfigurations', 'weft-controller', bundle),
    trust(namespace),
    { name: 'check a token', run: checkToken },
    { name: 'hold the Lease', run: holdLease },
    { name: 'write an Event', run: (client) => writeEvent(client, namespace) },
    writeStatus({ path: `/apis/${apiVersion}/namespaces/${namespace}/trafficpolicies/${policy}`, apiVersion, kind: 'TrafficPolicy', name: policy, namespace }),
    writeStatus({ path: `/apis/${apiVersion}/meshes/${mesh}`, apiVersion, kind: 'Mesh', name: mesh }),
  ];
}

/** The needs of `weft injector`. */
export function injectorNeeds(bundle: string): readonly Need[] {
  return [{ name: 'follow namespaces', run: knowNamespaces }, authority('weft-webhook-ca'), caBundle('mutatingwebhookconfigurations', 'weft-injector', bundle)];
}

function followKind(client: KubeClient, id: string): Promise<void> {
  const parser = parsers[id];
  if (!parser) throw new Error(`there is no parser for ${id}`);
  return untilFollowing((onState) => watchCluster({ client, parsers: { [id]: parser }, onChange: () => undefined, onState }));
}

async function knowNamespaces(client: KubeClient): Promise<void> {
  await untilFollowing((onState) => followNamespaces(client, onState));
  const namespaces = followNamespaces(client, () => undefined);
  await namespaces.ask('default').finally(namespaces.close);
}

async function untilFollowing(start: (onState: (state: KindState) => void) => { readonly close: () => Promise<void> }): Promise<void> {
  let close = async () => {};
  const following = new Promise<void>((resolve, reject) => {
    const onState = ({ following, problem }: KindState) => {
      if (following) resolve();
      else if (problem) reject(new Error(problem));
    };
    close = start(onState).close;
  });
  await following.finally(() => close());
}

function authority(secret: string): Need {
  const path = `/api/v1/namespaces/${weftNamespace}/secrets/${secret}`;
  return {
    name: `fill Secret ${secret}`,
    prepare: (admin) => admin.request({ method: 'PATCH', path, patch: 'merge', body: { data: null } }),
    run: async (client) => {
      const ca = await openCa({ client, namespace: weftNamespace, secret, clock: Date.now, onError: () => undefined });
      ca.close();
    },
  };
}

function caBundle(resource: 'mutatingwebhookconfigurations' | 'validatingwebhookconfigurations', name: string, bundle: string): Need {
  const path = `/apis/admissionregistration.k8s.io/v1/${resource}/${name}`;
  return {
    name: `set the caBundle of ${name}`,
    prepare: async (admin) => {
      const found = await admin.request({ method: 'GET', path });
      const webhooks = isPlain(found) && Array.isArray(found['webhooks']) ? found['webhooks'] : [];
      const without = webhooks.map((webhook) => ({ name: textOf(webhook, 'name'), clientConfig: { caBundle: null } }));
      await admin.request({ method: 'PATCH', path, patch: 'strategic', body: { webhooks: without } });
    },
    run: (client) => setCaBundle({ client, resource, name, bundle: () => bundle }),
  };
}

function trust(namespace: string): Need {
  const path = `/api/v1/namespaces/${namespace}/configmaps/weft-ca`;
  const missing = (error: unknown) => (error instanceof KubeError && error.status === 404 ? undefined : Promise.reject(error));
  return {
    name: 'publish what sidecars trust, replace it and take it away',
    prepare: (admin) => admin.request({ method: 'DELETE', path }).catch(missing),
    run: async (client) => {
      const steps = [
        { namespaces: [namespace], data: { 'ca.crt': 'one' } },
        { namespaces: [namespace], data: { 'ca.crt': 'two' } },
        { namespaces: [], data: {} },
      ];
      for (const step of steps) {
        const [failure] = (await publishTrust({ client, ...step })).failed;
        if (failure) throw new Error(failure.error);
      }
    },
  };
}

/** No token at all is told to be none; who may not ask is told so. */
async function checkToken(client: KubeClient): Promise<void> {
  const verdict = await review(client, 'weft', { token: 'none', expiresAt: 0 });
  if (isRefusal(verdict) && verdict.refused === 'UNAVAILABLE') throw new Error(JSON.stringify(verdict));
}

async function holdLease(client: KubeClient): Promise<void> {
  let release = async () => {};
  const holding = new Promise<void>((resolve, reject) => {
    const lease = createLease({
      ...{ client, namespace: weftNamespace, name: 'weft-controller', identity: `replica-${counter++}`, clock: Date.now, timers: systemTimers },
      onChange: (isHolder) => isHolder && resolve(),
      onError: reject,
    });
    release = lease.close;
  });
  await holding.finally(() => release());
}

function writeEvent(client: KubeClient, namespace: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const events = createEvents({ client, identity: 'replica', timers: systemTimers, clock: Date.now, onError: reject });
    const pod = { pod: `${namespace}/web`, uid: `uid-${counter++}`, reason: 'HostNetwork', message: 'is on the network of its node' } as const;
    void events.report([pod]).then(resolve);
  });
}

function writeStatus(subject: Omit<StatusSubject, 'compose'>): Need {
  const run = (client: KubeClient) => {
    let close = () => {};
    const written = new Promise<void>((resolve, reject) => {
      const request: KubeClient['request'] = async (asked) => {
        const answer = await client.request(asked);
        if (asked.method !== 'GET') resolve();
        return answer;
      };
      const onError = (_: string, error: unknown) => reject(error);
      const writer = createStatusWriter({ client: { ...client, request }, isHolder: () => true, timers: systemTimers, clock: Date.now, onError });
      close = writer.close;
      writer.put({ ...subject, compose: () => ({}) });
    });
    return written.finally(() => close());
  };
  return { name: `write the status of a ${subject.kind}`, run };
}
