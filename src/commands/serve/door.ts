/** Who is let in to a mesh without a cluster, and what is given to prove who he is. */
import type { Audience } from '../../compile/contract.js';
import type { Ca } from '../../identity/ca.js';
import { openFolderCa } from '../../identity/folder-ca.js';
import { createSecrets, type Secrets } from '../../identity/secrets.js';
import { isRefusal, type Refusal, unavailable } from '../../identity/subject.js';
import type { AdsContext } from '../../serve/ads.js';
import type { XdsServer } from '../../serve/server.js';
import type { Authenticate, Bearer } from '../../serve/subject.js';
import { watchCaExpiry } from './ca-expiry.js';
import type { Core } from './core.js';
import { followTokens, type TokenFile, type TokenSubject } from './tokens.js';

/** A caller: without a file of tokens nothing is known of it but what it says of itself. */
interface Caller extends Partial<TokenSubject>, Bearer {}

/** The door of the gRPC port. */
export interface Door {
  readonly authenticate: Authenticate<Caller>;
  readonly classify: AdsContext<Audience, Caller>['classify'];
  /** From now on the streams of tokens that are taken out of the file end. */
  readonly follow: (server: XdsServer<Caller>) => void;
  readonly close: () => void;
}

/** The authority of a folder, and the Secrets by it. */
export interface Identities {
  readonly ca: Ca;
  readonly secrets: Secrets;
  readonly close: () => void;
}

/** Opens the authority in the folder; certificates are good for `lifetimeMs`. Rejects with an Error that names the file that is wrong. */
export async function openIdentities(folder: string, { controller, logger }: Core, lifetimeMs: number): Promise<Identities> {
  const onError = (error: unknown) => logger.error({ error: String(error) }, 'certificates stay as they are; it is tried again');
  const ca = await openFolderCa({ folder, clock: Date.now, onError });
  const secrets = createSecrets({ ca, trustDomain: () => controller.mesh.config().trustDomain, clock: Date.now, onError, lifetimeMs });
  controller.serveSecrets(secrets);
  const expiry = watchCaExpiry({ authorities: [{ place: `folder ${folder}`, secret: folder, ca }], logger, clock: Date.now });
  const close = () => {
    expiry.close();
    secrets.close();
    ca.close();
  };
  return { ca, secrets, close };
}

/** Opens the door; `path` is the file of tokens. Rejects with an Error that names the line that is wrong. */
export async function openDoor(path: string | undefined, { controller, logger }: Core, secrets: Secrets | undefined): Promise<Door> {
  if (path === undefined) return { authenticate: async () => ({}), classify: controller.classify, follow: () => undefined, close: () => undefined };
  let onChange = () => {};
  const tokens = await followTokens({
    path,
    onChange: () => onChange(),
    onError: (error) => logger.error({ error: String(error) }, 'the tokens stay as they are'),
  });
  return {
    authenticate: (metadata) => admit(tokens.authenticate(metadata.get('authorization')), secrets),
    classify: (node, { identity }) => {
      const who = controller.classify(node);
      if (typeof who === 'string' || identity === undefined) return who;
      const { namespace, serviceAccount } = who.audience;
      if (namespace === identity.namespace && serviceAccount === identity.serviceAccount) return who;
      return refuseOther(`${namespace}/${serviceAccount}`, `${identity.namespace}/${identity.serviceAccount}`);
    },
    follow: (server) => {
      onChange = () => server.endStreamsOf((caller) => !isStillGood(caller, tokens), 'the token of this stream is no longer good');
    },
    close: tokens.close,
  };
}

function isStillGood({ identity, token }: Caller, tokens: TokenFile): boolean {
  return identity !== undefined && token !== undefined && tokens.isGood({ identity, token });
}

async function admit(verdict: TokenSubject | Refusal, secrets: Secrets | undefined): Promise<TokenSubject | Refusal> {
  if (isRefusal(verdict)) return verdict;
  const issued = await secrets?.ensure(verdict.identity).catch((error: unknown) => unavailable('no certificate could be issued', String(error)));
  return issued ?? verdict;
}

function refuseOther(said: string, proven: string): Refusal {
  return { refused: 'PERMISSION_DENIED', reason: `the node says that it is of ServiceAccount ${said}, and the token is of ${proven}; correct one of them` };
}
