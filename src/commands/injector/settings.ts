/** The flags that say what is injected; `weft injector` and `weft inject` have the same. */
import type { Argv } from 'yargs';
import { parseQuantity } from '../../inject/quantity.js';
import { defaultSettings, type InjectSettings } from '../../inject/settings.js';
import { parseDuration } from '../../model/duration.js';
import { readHostPort } from '../address.js';
import { weftVersion } from '../version.js';

/** What the flags say. */
export interface InjectFlags {
  readonly namespace: string;
  readonly 'cluster-domain': string;
  readonly 'control-plane'?: string | undefined;
  readonly 'proxy-image': string;
  readonly 'init-image'?: string | undefined;
  readonly concurrency: number;
  readonly 'proxy-cpu': string;
  readonly 'proxy-memory': string;
  readonly 'proxy-cpu-limit': string;
  readonly 'proxy-memory-limit': string;
  readonly 'drain-delay': string;
  readonly ipv6: boolean;
}

/** Adds the flags, but for `--namespace`. */
export function injectOptions<T>(yargs: Argv<T>) {
  const { resources } = defaultSettings;
  return yargs
    .option('cluster-domain', { type: 'string', default: 'cluster.local', describe: 'End of the names of Services' })
    .option('control-plane', {
      type: 'string',
      describe: 'host:port where sidecars ask for their configuration (default: Service weft-controller, port 15010)',
    })
    .option('proxy-image', { type: 'string', default: defaultSettings.proxyImage, describe: 'A stock Envoy 1.40' })
    .option('init-image', { type: 'string', describe: 'Image that sets the redirect rules (default: weft-init of this version)' })
    .option('concurrency', { type: 'number', default: defaultSettings.concurrency, describe: 'Worker threads of a sidecar' })
    .option('proxy-cpu', { type: 'string', default: resources.cpu, describe: 'CPU that a sidecar asks for' })
    .option('proxy-memory', { type: 'string', default: resources.memory, describe: 'Memory that a sidecar asks for' })
    .option('proxy-cpu-limit', { type: 'string', default: resources.cpuLimit, describe: 'CPU that a sidecar may take' })
    .option('proxy-memory-limit', { type: 'string', default: resources.memoryLimit, describe: 'Memory that a sidecar may take' })
    .option('drain-delay', { type: 'string', default: '5s', describe: 'How long an app serves on after its pod was told to end' })
    .option('ipv6', { type: 'boolean', default: true, describe: 'Off for nodes whose kernel has no IPv6' });
}

/** Checks the flags. Throws an Error that names the one that is wrong. */
export function readSettings(flags: InjectFlags): InjectSettings {
  const version = weftVersion();
  if (!Number.isInteger(flags.concurrency) || flags.concurrency < 1) throw new Error(`--concurrency is ${flags.concurrency}; give a whole number from 1`);
  const drainDelayMs = parseDuration(flags['drain-delay']);
  if (drainDelayMs === undefined) throw new Error(`--drain-delay is ${JSON.stringify(flags['drain-delay'])}; give a duration such as 5s or 1m30s`);
  const service = `weft-controller.${flags.namespace}.svc`;
  const given = flags['control-plane'] === undefined ? undefined : readHostPort(flags['control-plane'], '--control-plane');
  return {
    version,
    proxyImage: flags['proxy-image'],
    initImage: flags['init-image'] ?? `weft.dev/weft-init:${version}`,
    // The dot at the end spares each look-up the search list of the pod.
    controlPlane: given ? { ...given, serverName: given.host } : { host: `${service}.${flags['cluster-domain']}.`, port: 15_010, serverName: service },
    concurrency: flags.concurrency,
    resources: {
      cpu: quantity(flags, 'proxy-cpu'),
      memory: quantity(flags, 'proxy-memory'),
      cpuLimit: quantity(flags, 'proxy-cpu-limit'),
      memoryLimit: quantity(flags, 'proxy-memory-limit'),
    },
    drainDelayMs,
    ipv6: flags.ipv6,
  };
}

function quantity(flags: InjectFlags, name: 'proxy-cpu' | 'proxy-memory' | 'proxy-cpu-limit' | 'proxy-memory-limit'): string {
  if (parseQuantity(flags[name]) === undefined) throw new Error(`--${name} is ${JSON.stringify(flags[name])}; give a quantity such as 100m or 128Mi`);
  return flags[name];
}
