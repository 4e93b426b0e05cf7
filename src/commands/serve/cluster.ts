/** `weft serve --kubernetes`: a cluster's objects in; ADS to its pods, verdicts on policies and their status out. */
import type { Ca } from '../../identity/ca.js';
import { createSecrets, type Secrets } from '../../identity/secrets.js';
import { isRefusal, type PodSubject, type Refusal, unavailable } from '../../identity/subject.js';
import { createTokenAuthenticator, type TokenAuthenticator } from '../../identity/token-review.js';
import { keyOf } from '../../model/name.js';
import { startAdmin } from '../../observe/admin.js';
import { createInstruments } from '../../observe/instruments.js';
import type { Logger } from '../../observe/log.js';
import { createMetrics } from '../../observe/metrics.js';
import { startMetrics } from '../../observe/metrics-server.js';
import { clusterServeLimits } from '../../serve/limits.js';
import { startServer, type XdsServer } from '../../serve/server.js';
import { postEvent } from '../../status/events.js';
import type { PeerReport } from '../../status/peers.js';
import { type HttpsServer, startHttps } from '../../webhook/server.js';
import { measuredValidateRoute } from '../validate-webhook.js';
import { type CaExpiry, watchCaExpiry } from './ca-expiry.js';
import { type Certificates, openCertificates } from './certificates.js';
import { clusterSide } from './cluster-side.js';
import { controllerFamilies } from './families.js';
import { controllerName, type Frame, frameOf, type ServeClusterFlags } from './frame.js';
import { createHeldUp } from './held-up.js';
import { identitySide } from './identity-side.js';
import { cannotListen } from './listening.js';
import { reportRoute } from './peer-report.js';
import { createPodStreams } from './pod-streams.js';
import { createPolicyReport } from './policy-report.js';
import { startUpkeep } from './upkeep.js';
import { followWorld } from './world.js';
import { adsContext, logRefusals } from './xds.js';

/** The audience of the tokens by which pods prove who they are. */
const audience = 'weft';

/** Over so long the streams of a replica that ends are ended, in milliseconds; well within the grace that the chart gives it. */
const drainMs = 10_000;

/**
 * Starts everything; resolves, once all kinds have been read and proxies are served, to what ends it again. While the API
 * server cannot be reached that takes as long as it takes.
 */
export async function serveCluster(flags: ServeClusterFlags, logger: Logger): Promise<() => Promise<void>> {
  const metrics = createMetrics();
  const frame = frameOf(flags, logger, createInstruments(metrics));
  const { core, client, ports, serverName, failed } = frame;
  let isServing = false;
  const heldUp = createHeldUp({ client, identity: flags['pod-name'], logger, clock: Date.now, onError: failed('events') });
  const ready = () => (isServing ? undefined : (heldUp.reason() ?? 'waiting for the first state of the cluster'));
  const metricsServer = await startMetrics(ports.metrics.host, ports.metrics.port, { ready, metrics }).catch(cannotListen('--metrics', flags.metrics));
  const world = followWorld(core, client, heldUp.tell);
  const certificates = await openCertificates({ client, namespace: flags.namespace, serverName, webhookConfiguration: controllerName, failed });
  await world.watch.ready;

  const report = createPolicyReport({ registry: core.registry, store: core.store, revision: world.revision });
  const authenticate = authenticator(frame);
  const secrets = openSecrets(frame, certificates);
  const expiry = watchExpiry(frame, certificates);
  const server = await startXds(frame, certificates, secrets, authenticate);
  world.onChange(createPodStreams(server));
  const webhook = await startWebhook(frame, certificates, authenticate, report);
  const upkeep = startUpkeep(frame, world, certificates, report, expiry);
  const { status } = upkeep;
  const adminPages = {
    isReady: () => isServing,
    status: () => ({
      ...core.status(),
      cluster: clusterSide(flags['pod-name'], status, world.watch.state()),
      identities: identitySide({ ...core, ca: certificates.mesh, secrets, clock: Date.now }),
    }),
    ports: core.ports,
  };
  const adminServer = await startAdmin(ports.admin.host, ports.admin.port, adminPages).catch(cannotListen('--admin', flags.admin));
  const { compilations, compileSeconds } = core.controller;
  metrics.add(controllerFamilies({ ...status, registry: core.registry, compilations, compileSeconds, watch: world.watch.state, clock: Date.now }));
  metrics.add(expiry.families);
  isServing = true;
  logger.info({ cluster: client.server, xds: flags.listen, webhook: flags.webhook, metrics: flags.metrics, admin: flags.admin }, 'serving');
  return async () => {
    isServing = false;
    expiry.close();
    await upkeep.close();
    await Promise.all([webhook.close(), server.drain(drainMs).then(server.close).then(world.watch.close)]);
    secrets.close();
    certificates.close();
    await Promise.all([adminServer.close(), metricsServer.close()]);
  };
}

function authenticator({ client, core, instruments }: Frame): TokenAuthenticator {
  const podUid = (namespace: string, pod: string) => core.store.mesh.pod(keyOf(namespace, pod))?.uid;
  const authenticate = createTokenAuthenticator({ client, audience, clock: Date.now, podUid });
  return async (authorization, how) => {
    const verdict = await authenticate(authorization, how);
    instruments.tokenChecked(isRefusal(verdict) ? verdict.refused : 'good');
    return verdict;
  };
}

function openSecrets({ flags, core, failed }: Frame, { mesh }: Certificates): Secrets {
  const trustDomain = () => core.store.mesh.config().trustDomain;
  const lifetimeMs = flags['certificate-lifetime'];
  const secrets = createSecrets({ ca: mesh, trustDomain, clock: Date.now, onError: failed('identities'), lifetimeMs });
  core.controller.serveSecrets(secrets);
  return secrets;
}

function watchExpiry({ client, flags, logger, failed }: Frame, { mesh, webhookCa }: Certificates): CaExpiry {
  const { namespace } = flags;
  const watched = (secret: string, ca: Ca) => ({ place: `Secret ${namespace}/${secret}`, secret, ca });
  const events = { client, identity: flags['pod-name'], clock: Date.now, onError: failed('events') };
  return watchCaExpiry({
    authorities: [watched('weft-ca', mesh), watched('weft-webhook-ca', webhookCa)],
    logger,
    clock: Date.now,
    tellEvent: (warning, name) => postEvent(events, { ...warning, regarding: { apiVersion: 'v1', kind: 'Secret', namespace, name } }),
  });
}

/** A proxy that has to wait for its certificate waits with everything else too, so it is there before the stream begins. */
async function withCertificate(secrets: Secrets, verdict: PodSubject | Refusal): Promise<PodSubject | Refusal> {
  if (isRefusal(verdict)) return verdict;
  return secrets.ensure(verdict).then(
    () => verdict,
    (error: unknown) => unavailable('no certificate could be issued for this pod; try again', String(error)),
  );
}

function startXds(
  { flags, core, instruments }: Frame,
  { xds }: Certificates,
  secrets: Secrets,
  authenticate: TokenAuthenticator,
): Promise<XdsServer<PodSubject>> {
  const tellRefusal = logRefusals(core);
  return startServer({
    listen: flags.listen,
    limits: clusterServeLimits,
    tls: { certificate: xds },
    authenticate: async (metadata, _, how) => withCertificate(secrets, await authenticate(metadata.get('authorization'), how)),
    context: {
      ...adsContext(core, secrets),
      classify: core.controller.classifyPod,
      // A pod sees how it stands itself; others it sees nothing of.
      maySee: ({ id }, node) => node.id === id,
    },
    onRefused: (call) => {
      instruments.streamRefused(call.refused);
      tellRefusal(call);
    },
  }).catch(cannotListen('--listen', flags.listen));
}

function startWebhook(
  { flags, ports, logger, instruments }: Frame,
  { webhook }: Certificates,
  authenticate: TokenAuthenticator,
  report: () => Promise<PeerReport>,
): Promise<HttpsServer> {
  const peers = reportRoute({ authenticate, namespace: flags.namespace, serviceAccount: controllerName, report });
  return startHttps({
    ...ports.webhook,
    certificate: webhook,
    routes: { '/validate': measuredValidateRoute((outcome, seconds) => instruments.webhookCalled('/validate', outcome, seconds)), '/report': peers },
    onDefect: (path, error) => logger.error({ path, error: String(error) }, 'a request has met a defect of Weft'),
  }).catch(cannotListen('--webhook', flags.webhook));
}
