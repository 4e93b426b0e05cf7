/** What the environment says. This file alone reads it; everything else is told. */

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** How much is logged, least important first; `silent` for nothing. */
export type LogLevel = (typeof logLevels)[number];

/** The settings that come from the environment. */
export interface Config {
  /** `ENVOY_BIN`: the Envoy binary to run, instead of one found or fetched. */
  readonly envoyBin: string | undefined;
  /** `PATH`, in which an Envoy binary is looked for. */
  readonly path: string;
  /** `WEFT_CACHE`: the folder that keeps what is fetched once; `.cache` in the current folder unless set. */
  readonly cache: string;
  /** `WEFT_LOG_LEVEL`; `info` unless set. */
  readonly logLevel: LogLevel;
  /** False when `NO_COLOR` is set to anything but the empty text (https://no-color.org). */
  readonly color: boolean;
  /** `KUBECONFIG`: the file that says how to reach the cluster. */
  readonly kubeconfig: string | undefined;
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which the kubelet sets in every container: where the API server is. */
  readonly inCluster: { readonly host: string; readonly port: string } | undefined;
}

/** The configuration in `env`, the process's own unless given. An empty variable counts as unset. Throws an Error that names a bad one. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  return {
    envoyBin: env['ENVOY_BIN'] || undefined,
    path: env['PATH'] ?? '',
    cache: env['WEFT_CACHE'] || '.cache',
    logLevel: readLogLevel(env['WEFT_LOG_LEVEL'] || 'info'),
    color: !env['NO_COLOR'],
    kubeconfig: env['KUBECONFIG'] || undefined,
    inCluster: readInCluster(env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']),
  };
}

function readInCluster(host: string | undefined, port: string | undefined): Config['inCluster'] {
  return host && port ? { host, port } : undefined;
}

function readLogLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text);
  if (!level) throw new Error(`WEFT_LOG_LEVEL is ${JSON.stringify(text)}; set it to one of ${logLevels.join(', ')}`);
  return level;
}
