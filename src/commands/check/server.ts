/** What must hold of a cluster, with and without Weft in it: its version, and its clock. */
import { type Check, failed, ok, warning } from './finding.js';
import { textAt } from './look.js';

/** The first release in which native sidecars and `preStop.sleep` are stable. */
const least = { major: 1, minor: 33 };

const apiVersion: Check = {
  name: 'API server',
  run: async ({ client }) => {
    const version = await client.request({ method: 'GET', path: '/version' });
    const [major, minor] = [textAt(version, 'major'), textAt(version, 'minor')].map((text) => Number.parseInt(text, 10));
    const said = `${textAt(version, 'gitVersion') || 'of an unknown version'} at ${client.server}`;
    if (major === undefined || minor === undefined || Number.isNaN(major) || Number.isNaN(minor))
      return [warning('API server', said, `make sure that it is Kubernetes ${least.major}.${least.minor} or later`)];
    const isNew = major > least.major || (major === least.major && minor >= least.minor);
    const upgrade = `upgrade the cluster to Kubernetes ${least.major}.${least.minor} or later: sidecars are native there`;
    return [isNew ? ok('API server', said) : failed('API server', said, upgrade)];
  },
};

/** Seconds by which clocks may differ. The server's time is known to a second. */
const maxSkew = 5;

const clock: Check = {
  name: 'clock',
  run: async ({ client, now }) => {
    const before = now();
    // A creation that is not carried out says what time it is over there.
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'weft-check-' } };
    const created = await client.request({ method: 'POST', path: '/api/v1/namespaces/default/configmaps', query: { dryRun: 'All' }, body });
    const there = Date.parse(textAt(created, 'metadata', 'creationTimestamp'));
    if (Number.isNaN(there)) return [warning('clock', 'the API server does not tell its time', 'compare the clocks by hand: certificates depend on them')];
    const skew = Math.max(0, before - there - 1000, there - now()) / 1000;
    const said = `differs from the API server's by ${skew < 1 ? 'less than a second' : `${Math.round(skew)} s`}`;
    const remedy = 'set the clocks by NTP, here and on the nodes: certificates and tokens are valid for a time';
    return [skew <= maxSkew ? ok('clock', said) : warning('clock', said, remedy)];
  },
};

/** Version and clock. */
export const serverChecks: readonly Check[] = [apiVersion, clock];
