/** The credentials of a kubeconfig's user: certificates, tokens, exec plugins, as Kubernetes' own client for Node understands them. */
import type { Agent, RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { type Credentials, type Endpoint, keepForAWhile } from './endpoint.js';
import type { Selection } from './kubeconfig.js';
import { isPlain, textOf } from './plain.js';

/** The API server that a kubeconfig names. Nothing is read or run before the first request. */
export function kubeconfigEndpoint(selection: Selection): Endpoint {
  let config: Promise<KubeConfig> | undefined;
  const read = async () => {
    config ??= loadKubeConfig(selection);
    return toCredentials(selection, await config);
  };
  return { server: selection.server, credentials: keepForAWhile(read) };
}

/** The selection in the form that Kubernetes' own client takes. That client is loaded only here: it weighs 80 MB, which no Pod of ours has to bear. */
export async function loadKubeConfig(selection: Selection): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const name = selection.context;
  config.loadFromString(
    JSON.stringify({
      clusters: [{ name, cluster: selection.cluster }],
      users: [{ name, user: withTokenFile(withExecInfo(selection)) }],
      contexts: [{ name, context: { cluster: name, user: name, namespace: selection.namespace } }],
      'current-context': name,
    }),
  );
  return config;
}

type User = Selection['user'];

/** The client knows `tokenFile` by another name only. */
function withTokenFile(user: User): User {
  const tokenFile = textOf(user, 'tokenFile');
  return tokenFile ? { ...user, 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } : user;
}

/** Plugins want to be told what they are run for, which the client does not do. */
function withExecInfo({ user, server }: Selection): User {
  const exec = user['exec'];
  if (!isPlain(exec)) return user;
  const info = { apiVersion: textOf(exec, 'apiVersion'), kind: 'ExecCredential', spec: { interactive: false, cluster: { server } } };
  const env = [...(Array.isArray(exec['env']) ? exec['env'] : []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  return { ...user, exec: { ...exec, env } };
}

async function toCredentials({ context, cluster }: Selection, config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options).catch((error: Error) => {
    throw new Error(`the credentials of context ${context} cannot be had: ${error.message.trim()}; does kubectl --context ${context} version work?`);
  });
  const { ca, cert, key, rejectUnauthorized, servername, auth } = options;
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return {
    headers: { ...basic, ...headersOf(options) },
    tls: { ca, cert, key, rejectUnauthorized, servername },
    agent: textOf(cluster, 'proxy-url') && isAgent(options.agent) ? options.agent : undefined,
  };
}

function headersOf({ headers }: RequestOptions): Readonly<Record<string, string>> {
  const all = Object.entries(headers ?? {});
  return Object.fromEntries(all.flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value]] : [])));
}

function isAgent(agent: RequestOptions['agent']): agent is Agent {
  return typeof agent === 'object';
}
