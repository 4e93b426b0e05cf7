/** The injector: follows the namespaces, answers the API server's questions about new pods, and knows nothing of policies. */

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Ca, openCa } from '../../identity/ca.js';
import { hasCaBundle, keepCaBundle } from '../../identity/ca-bundle.js';
import { createServingCertificate } from '../../identity/serving-certificate.js';
import type { InjectSettings } from '../../inject/settings.js';
import type { KubeClient } from '../../kubernetes/api.js';
import { createInstruments } from '../../observe/instruments.js';
import type { Logger } from '../../observe/log.js';
import { createMetrics } from '../../observe/metrics.js';
import { startMetrics } from '../../observe/metrics-server.js';
import { readReview, reviewOf } from '../../webhook/admission.js';
import { type HttpsRoute, startHttps } from '../../webhook/server.js';
import { type HostPort, readHostPort } from '../address.js';
import { cannotListen } from '../serve/listening.js';
import { type AnswerOptions, answerPod } from './answer.js';
import { followNamespaces } from './namespaces.js';

/** What an injector is made from. */
export interface InjectorOptions {
  readonly client: KubeClient;
  /** Weft's own namespace. */
  readonly namespace: string;
  /** host:port of the webhook, and of probes and metrics. */
  readonly webhook: string;
  readonly metrics: string;
  /** The names by which the API server calls the webhook. */
  readonly names: readonly string[];
  readonly settings: InjectSettings;
  readonly logger: Logger;
}

/** A running injector. */
export interface Injector {
  readonly webhookPort: number;
  readonly metricsPort: number;
  /** Answers what is under way, and ends. */
  readonly close: () => Promise<void>;
}

const caSecret = 'weft-webhook-ca';
const webhookConfiguration = 'weft-injector';
const retryMs = 2_000;

/** Starts the injector; resolves when it answers. While the API server cannot be reached that takes as long as it takes. Rejects when an address cannot be had. */
export async function startInjector(options: InjectorOptions): Promise<Injector> {
  const { client, logger, namespace, settings } = options;
  const metrics = createMetrics();
  const instruments = createInstruments(metrics);
  const failed = (task: string) => (error: unknown) => {
    instruments.taskFailed(task);
    logger.error({ task, error: String(error) }, 'a task has failed; it is tried again');
  };
  let isReady = false;
  const probes = { ready: () => (isReady ? undefined : 'waiting for the API server'), metrics };
  const probeServer = await listen(options.metrics, '--metrics', ({ host, port }) => startMetrics(host, port, probes));
  const namespaces = followNamespaces(client, ({ id, following, problem }) => logger.info({ id, following, problem }, 'the watch of a kind has changed'));
  const ca = await open(options, failed('webhook-ca'));
  const certificate = await createServingCertificate({ ca, dnsNames: options.names, clock: Date.now, onError: failed('certificate') });
  await namespaces.ready;
  const count = metrics.counter({
    name: 'weft_injections_total',
    help: 'Pods about which the injector was asked, by what became of them.',
    labels: ['outcome'],
  });
  const answers = { namespaces, settings, ownNamespace: namespace, newKey: () => randomBytes(16).toString('hex') };
  const inject = injectRoute(answers, (outcome, allowed, seconds) => {
    count({ outcome });
    instruments.webhookCalled('/inject', outcome === 'failed' ? 'failed' : allowed ? 'allowed' : 'denied', seconds);
  });
  const onDefect = (path: string, error: unknown) => logger.error({ path, error: String(error) }, 'a request has met a defect of Weft');
  const server = await listen(options.webhook, '--webhook', ({ host, port }) =>
    startHttps({ host, port, certificate, routes: { '/inject': inject }, onDefect }),
  );
  const configuration = { client, resource: 'mutatingwebhookconfigurations' as const, name: webhookConfiguration };
  const bundle = { bundle: () => certificate.current().bundle, onChange: certificate.onChange, onError: failed('ca-bundle') };
  const stopBundle = keepCaBundle({ ...configuration, ...bundle });
  isReady = true;
  logger.info({ webhook: options.webhook, metrics: options.metrics, image: settings.proxyImage }, 'injecting');
  return {
    webhookPort: server.port,
    metricsPort: probeServer.port,
    close: async () => {
      isReady = false;
      stopBundle();
      await server.close();
      ca.close();
      certificate.close();
      await Promise.all([namespaces.close(), probeServer.close()]);
    },
  };
}

/** What happens at `/inject`. `onAnswer` hears what became of each pod, and how many seconds that took. */
function injectRoute(options: AnswerOptions, onAnswer: (outcome: string, allowed: boolean, seconds: number) => void): HttpsRoute {
  return async ({ body }) => {
    const begin = performance.now();
    const request = readReview(body);
    if (typeof request === 'string') return { status: 400, body: `${request}\n` };
    const { answer, outcome } = await answerPod(request, options);
    onAnswer(outcome, answer.allowed, (performance.now() - begin) / 1_000);
    return { status: 200, body: reviewOf(request.uid, answer) };
  };
}

/** A restart would not make the API server or the Secret come sooner. */
async function open({ client, namespace }: InjectorOptions, onError: (error: unknown) => void): Promise<Ca> {
  const hasBeen = () => hasCaBundle({ client, resource: 'mutatingwebhookconfigurations', name: webhookConfiguration });
  for (;;) {
    try {
      return await openCa({ client, namespace, secret: caSecret, hasBeen, clock: Date.now, onError });
    } catch (error) {
      onError(error);
      await delay(retryMs);
    }
  }
}

function listen<T>(address: string, flag: string, start: (address: HostPort) => Promise<T>): Promise<T> {
  return start(readHostPort(address, flag)).catch(cannotListen(flag, address));
}
