/** `weft demo`: the main job, shown on this machine: real Envoys, real requests, policies taking effect, Weft killed. */
import { once } from 'node:events';
import type { CommandModule } from 'yargs';
import { readConfig } from '../config.js';
import { envoyVersion, findEnvoy } from '../proxy/binary.js';
import { type Client, type Load, startLoad } from './demo/load.js';
import { type Stage, setStage } from './demo/stage.js';
import { fetchStatus } from './status-fetch.js';
import { formatStatus } from './status-tables.js';
import { formatTable } from './table.js';

export const demoCommand: CommandModule = {
  command: 'demo',
  describe: 'Run two Envoys, Weft and a small shop on loopback and show what policies do',
  handler: async () => {
    const config = readConfig();
    const envoy = await findEnvoy({ explicit: config.envoyBin, path: config.path, cache: config.cache, progress: say });
    process.exitCode = (await demo(envoy)) ? 0 : 1;
  },
};

/** One line of the summary. */
interface Act {
  readonly what: string;
  readonly saw: string;
  readonly asExpected: boolean;
}

const reviews = 'http://reviews.shop/';
const ratings = 'http://ratings.shop/';
const catalog = 'http://catalog.shop/';

/** Plays all acts; true when each ended as it should. */
async function demo(envoy: string): Promise<boolean> {
  say(`Starting Weft, five small applications and two stock Envoy ${envoyVersion} sidecars ...`);
  const stage = await setStage(envoy);
  say(`Weft serves ${stage.manifests}, ordinary Kubernetes YAML\n`);
  try {
    const acts = await play(stage);
    const admin = `127.0.0.1:${stage.adminPort}`;
    await until(async () => (await fetchStatus(admin)).proxies.length === stage.envoys.length);
    say(formatStatus(await fetchStatus(admin)));
    say(
      formatTable(
        ['', 'what', 'seen'],
        acts.map(({ what, saw, asExpected }) => [asExpected ? 'ok' : 'NOT', what, saw]),
      ),
    );
    return acts.every(({ asExpected }) => asExpected);
  } finally {
    await stage.close();
  }
}

async function play(stage: Stage): Promise<readonly Act[]> {
  const [web] = stage.clients;
  if (!web) throw new Error('the demo has no sidecar');
  const first = await firstCall(web);
  const load = startLoad(stage.clients, [reviews], 100);
  try {
    const acts = [first, await unknownHost(web), await canary(stage, web, load), await retry(stage, web), await survival(stage, web)];
    await load.stop();
    const saw = `${load.sent()} sent, ${load.failed()} failed${load.failures().length > 0 ? `: ${load.failures().join('; ')}` : ''}`;
    return [...acts, report({ what: 'The steady load on reviews through all of it', saw, asExpected: load.failed() === 0 })];
  } finally {
    await load.stop();
  }
}

async function firstCall(web: Client): Promise<Act> {
  const first = await web.get(reviews);
  const second = await web.get(reviews);
  const saw = `${first.status} from ${first.app} after ${ms(first.milliseconds)}, then ${second.status} after ${ms(second.milliseconds)}`;
  return report({ what: 'The first call of a Service that no sidecar knew', saw, asExpected: first.status === 200 && second.status === 200 });
}

async function unknownHost(web: Client): Promise<Act> {
  const { status, milliseconds } = await web.get('http://nobody.shop/');
  return report({ what: 'A host that does not exist', saw: `${status} after ${ms(milliseconds)}`, asExpected: status === 404 });
}

async function canary(stage: Stage, web: Client, load: Load): Promise<Act> {
  say('Putting policies/canary.yaml into the folder: 90 % to v1, 10 % to v2, testers always to v2 ...');
  await stage.applyPolicy('canary');
  await until(
    async () =>
      (await web.get(reviews, { 'x-tester': 'true' })).app === 'reviews-v2-a' && (await web.get(reviews, { 'x-tester': 'true' })).app === 'reviews-v2-a',
  );
  const before = new Map(load.byApp());
  await until(async () => answers(load) - sum(before.values()) >= 500);
  const v2 = (load.byApp().get('reviews-v2-a') ?? 0) - (before.get('reviews-v2-a') ?? 0);
  const all = answers(load) - sum(before.values());
  const share = (100 * v2) / all;
  const testers = await Promise.all(Array.from({ length: 20 }, () => web.get(reviews, { 'x-tester': 'true' })));
  const seen = testers.filter(({ app }) => app === 'reviews-v2-a').length;
  const saw = `${share.toFixed(1)} % of ${all} requests reached v2; ${seen} of 20 testers did`;
  return report({ what: 'A canary at 10 %, and a header that always gets it', saw, asExpected: share > 4 && share < 16 && seen === 20 });
}

async function retry(stage: Stage, web: Client): Promise<Act> {
  const before = await failures(web, 40);
  say(`The ratings fail every second request (${before} of 40 now). Putting policies/retry.yaml into the folder ...`);
  await stage.applyPolicy('retry');
  await until(async () => (await failures(web, 10)) === 0);
  const after = await failures(web, 40);
  return report({
    what: 'A retry policy for an application that fails every second request',
    saw: `${before} of 40 failed before, ${after} of 40 after`,
    asExpected: before > 0 && after === 0,
  });
}

async function survival(stage: Stage, web: Client): Promise<Act> {
  say('Killing Weft (SIGKILL); known hosts must not notice, a new one has to wait ...');
  await stage.weft().kill();
  const known = await Promise.all(Array.from({ length: 50 }, () => web.get(reviews)));
  const waiting = web.get(catalog);
  await Promise.race([waiting, web.get(reviews)]);
  await stage.restartWeft();
  const back = performance.now();
  const fresh = await waiting;
  const served = known.filter(({ status }) => status === 200).length;
  const saw = `${served} of 50 to a known host while it was away; the new host answered ${fresh.status}, ${ms(performance.now() - back)} after its return`;
  return report({ what: 'Weft killed and started again', saw, asExpected: served === 50 && fresh.status === 200 });
}

async function failures(web: Client, count: number): Promise<number> {
  let failed = 0;
  for (let sent = 0; sent < count; sent++) if ((await web.get(ratings)).status !== 200) failed++;
  return failed;
}

function answers(load: Load): number {
  return sum(load.byApp().values());
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function ms(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

/** Asks again until the answer is yes, for ten seconds at most; what is shown afterwards tells whether it was. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (performance.now() < end && !(await holds())) await once(AbortSignal.timeout(20), 'abort');
}

function report(act: Act): Act {
  say(`${act.asExpected ? 'ok ' : 'NOT'} ${act.what}: ${act.saw}`);
  return act;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
