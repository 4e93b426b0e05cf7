/** An injector beside a real API server that calls it by URL, as the chart has it called by Service. */
import { readFile } from 'node:fs/promises';
import { get } from 'node:https';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Injector, startInjector } from '../../src/commands/injector/run.js';
import { issueServing, makeAuthority } from '../../src/identity/x509.js';
import { defaultSettings } from '../../src/inject/settings.js';
import { isPlain, textOf } from '../../src/kubernetes/plain.js';
import { createLogger } from '../../src/observe/log.js';
import { readReview, reviewOf } from '../../src/webhook/admission.js';
import { startHttps } from '../../src/webhook/server.js';
import { type Apiserver, startApiserver } from '../support/apiserver.js';
import { renderChart } from '../support/chart.js';

/** Weft's own namespace. */
export const ownNamespace = 'weft-system';

/** The API server, and what starts the injector. */
export interface InjectorWorld extends Apiserver {
  /** Starts the injector, and tells the API server of it. */
  readonly startInjector: () => Promise<Injector>;
  /** Starts another webhook, which is called after the injector and adds a container to either list, in front. */
  readonly startOther: () => Promise<{ readonly close: () => Promise<void> }>;
  /** Makes the ServiceAccount `default` of a namespace that is there already. */
  readonly serviceAccount: (namespace: string) => Promise<void>;
  /** Creates a pod; resolves to it as it is stored. */
  readonly createPod: (namespace: string, pod: object, query?: Readonly<Record<string, string>>) => Promise<unknown>;
}

/** A pod with nothing special. */
export function simplePod(name: string, more: object = {}, metadata: object = {}) {
  return { metadata: { name, ...metadata }, spec: { containers: [{ name: 'web', image: 'web:1' }], ...more } };
}

/** Starts the API server with the namespaces `shop`, which asks for sidecars, `open`, which does not, and Weft's own. */
export async function createInjectorWorld(t: TestContext): Promise<InjectorWorld> {
  const apiserver = await startApiserver(t);
  const { client } = apiserver;
  await apiserver.namespace('shop', { 'weft.dev/inject': 'true' });
  await apiserver.namespace('open');
  await apiserver.namespace(ownNamespace);
  await client.request({ method: 'POST', path: `/api/v1/namespaces/${ownNamespace}/secrets`, body: { metadata: { name: 'weft-webhook-ca' } } });
  const createPod: InjectorWorld['createPod'] = (namespace, pod, query) =>
    client.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods`, query, body: pod });
  return {
    ...apiserver,
    createPod,
    startInjector: async () => {
      const injector = await startInjector({
        ...{ client, namespace: ownNamespace, webhook: '127.0.0.1:0', metrics: '127.0.0.1:0', names: ['127.0.0.1'] },
        settings: { ...defaultSettings, version: '0.1.0' },
        logger: createLogger('silent', false),
      });
      await configure(apiserver, `https://127.0.0.1:${injector.webhookPort}/inject`);
      return injector;
    },
    serviceAccount: async (namespace) => {
      await client.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body: { metadata: { name: 'default' } } });
    },
    startOther: () => startOther({ client, createPod }),
  };
}

const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** As the chart makes it, but called by URL, and with time for a busy machine. */
async function configure({ client }: Apiserver, url: string): Promise<void> {
  const configuration = (await renderChart(ownNamespace)).find(({ kind }) => kind === 'MutatingWebhookConfiguration');
  const webhooks = configuration?.raw['webhooks'];
  if (!configuration || !Array.isArray(webhooks)) throw new Error('the chart has no MutatingWebhookConfiguration');
  const called = webhooks.map((webhook: object) => ({ ...webhook, clientConfig: { url }, timeoutSeconds: 30 }));
  await client.request({ method: 'POST', path, body: { ...configuration.raw, webhooks: called } });
}

/** Resolves when the API server calls the injector for pods in `shop`. */
export async function untilInjecting({ createPod }: InjectorWorld): Promise<void> {
  for (;;) {
    const pod = await createPod('shop', simplePod('probe'), { dryRun: 'All' }).catch(() => undefined);
    const spec = isPlain(pod) ? pod['spec'] : undefined;
    if (isPlain(spec) && nameOfContainers(spec['initContainers']).length > 0) return;
    await delay(50);
  }
}

/** The names in a list of containers; none where there is no list. */
export function nameOfContainers(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map((container: unknown) => textOf(container, 'name')) : [];
}

async function startOther({ client, createPod }: Pick<InjectorWorld, 'client' | 'createPod'>): Promise<{ readonly close: () => Promise<void> }> {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
  const authority = await makeAuthority(validity);
  const certificate = await issueServing(authority, ['127.0.0.1'], validity);
  const add = (path: string, value: unknown) => ({ op: 'add' as const, path, value });
  const server = await startHttps({
    ...{ host: '127.0.0.1', port: 0, certificate: { current: () => certificate, onChange: () => undefined }, onDefect: () => undefined },
    routes: {
      '/': async ({ body }) => {
        const request = readReview(body);
        if (typeof request === 'string') return { status: 400, body: request };
        const patch = [add('/spec/initContainers/0', { name: 'other-init', image: 'other:1' }), add('/spec/containers/0', { name: 'other', image: 'other:1' })];
        return { status: 200, body: reviewOf(request.uid, { allowed: true, patch }) };
      },
    },
  });
  const clientConfig = { url: `https://127.0.0.1:${server.port}/`, caBundle: Buffer.from(authority.certificate).toString('base64') };
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
  const objectSelector = { matchLabels: { other: 'true' } };
  const webhook = { name: 'other.example.com', clientConfig, rules, objectSelector, admissionReviewVersions: ['v1'], sideEffects: 'None' };
  await client.request({ method: 'POST', path, body: { metadata: { name: 'zz-other' }, webhooks: [webhook] } });
  const probe = simplePod('probe', {}, { labels: { other: 'true' } });
  for (;;) {
    const pod = await createPod('shop', probe, { dryRun: 'All' });
    const spec = isPlain(pod) ? pod['spec'] : undefined;
    if (isPlain(spec) && nameOfContainers(spec['containers']).includes('other')) break;
    await delay(50);
  }
  return { close: () => server.close(0) };
}

/** Within how many seconds this share of the injector's webhooks was answered, as the API server has measured it: the upper end of a bucket. */
export async function admissionSeconds({ url, kubeconfig }: InjectorWorld, share: number): Promise<string> {
  const { users } = JSON.parse(await readFile(kubeconfig, 'utf8'));
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { authorization: `Bearer ${users[0].user.token}` };
    get(`${url}/metrics`, { headers, rejectUnauthorized: false }, (response) => {
      let all = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (all += chunk));
      response.once('end', () => resolve(all));
    }).once('error', reject);
  });
  const lines = text.matchAll(
    /^apiserver_admission_webhook_admission_duration_seconds_bucket\{name="namespace\.injector\.weft\.dev",operation="CREATE",rejected="false",type="admit",le="([^"]+)"\} (\d+)$/gm,
  );
  const buckets = [...lines].map(([, le = '', count]) => ({ le, count: Number(count) }));
  const total = buckets.at(-1)?.count ?? 0;
  return buckets.find(({ count }) => count >= total * share)?.le ?? 'no time at all';
}
