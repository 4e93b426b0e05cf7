import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newRoot } from '../../../test/support/authority.js';
import { makeIntermediate } from '../../../test/support/openssl.js';
import { authorityPair, textHash } from '../../identity/authority-plan.js';
import { readAuthority } from '../../identity/authority-secret.js';
import { fileNames, readFolder, replaceFolder, writeFolder } from '../../identity/folder-store.js';
import { withLock } from '../../identity/lock-file.js';
import { fingerprintIn, fingerprintOf, readCertificates } from '../../identity/pem.js';
import { decide, type IdentityView, leaveBehind, type MeshView } from '../../identity/rotation-decision.js';
import { begin, drop, phaseOf, refusalOf, type StoredAuthority, sign } from '../../identity/rotation-plan.js';
import type { AuthorityPlace } from './place.js';
import { type Progress, type RotateOptions, rotate } from './rotate.js';

const [old, next, foreign] = await Promise.all([newRoot(), newRoot(), newRoot()]);
const oldRoot = fingerprintIn(old.certificate);
const nextRoot = fingerprintIn(next.certificate);

/** As Weft makes it. */
const made = (bundle = old.certificate): StoredAuthority => ({
  texts: { 'tls.crt': old.certificate, 'tls.key': old.key, 'ca.crt': bundle },
  made: textHash(old.certificate),
  retiring: [],
});

const rootsIn = ({ texts }: StoredAuthority) => readCertificates(texts['ca.crt'] ?? '').map(fingerprintOf);

/** A mesh that has taken over what the store holds. */
function settled(stored: StoredAuthority, changes: Partial<IdentityView> = {}): MeshView {
  const signer = fingerprintIn(stored.texts['tls.crt'] ?? '');
  const identities = { signer, roots: rootsIn(stored), time: Date.now(), proxies: 3, untrusting: [], unrenewed: [], ...changes };
  return { replicas: [{ replica: 'weft-1', identities }], absent: [], trust: [{ namespace: 'shop', roots: rootsIn(stored) }] };
}

test('the steps: two roots, then the next one signs, then the old root alone is gone', () => {
  const first = made(old.certificate + foreign.certificate);
  const distributing = begin(first, next);
  assert.deepEqual([phaseOf(first), phaseOf(distributing)], ['Idle', 'Distributing']);
  assert.deepEqual(rootsIn(distributing), [oldRoot, fingerprintIn(foreign.certificate), nextRoot]);
  assert.equal(distributing.texts['tls.crt'], old.certificate);
  const renewing = sign(distributing);
  assert.equal(phaseOf(renewing), 'Renewing');
  assert.deepEqual([renewing.texts['tls.crt'], renewing.texts['tls.key']], [next.certificate, next.key]);
  assert.deepEqual(rootsIn(renewing), rootsIn(distributing));
  const done = drop(renewing);
  assert.deepEqual([phaseOf(done), rootsIn(done)], ['Idle', [fingerprintIn(foreign.certificate), nextRoot]]);
  for (const step of [distributing, renewing, done]) assert.equal(refusalOf(step, 'it'), undefined);
});

test('a root that still signs is not dropped, whatever is said of it', () => {
  assert.deepEqual(rootsIn(drop({ ...made(), retiring: [oldRoot] })), [oldRoot]);
  assert.equal(phaseOf({ ...made(), retiring: [oldRoot] }), 'Idle');
});

test('what was begun by a renewal of its own is gone on with, and its old root goes too', () => {
  const { texts, made: by } = begin(made(), next);
  const renewal = { texts, made: by, retiring: [] };
  assert.equal(phaseOf(renewal), 'Distributing');
  assert.deepEqual(sign(renewal).retiring, [oldRoot]);
});

test('an authority that was brought, an intermediate, a server, and an empty place are refused, with what to do instead', () => {
  const brought = { ...made(), made: undefined };
  assert.match(refusalOf(brought, 'Secret weft-system/weft-ca') ?? '', /^Secret weft-system\/weft-ca holds an authority that was brought.*add the new root/);
  const { certificate, key } = makeIntermediate(old);
  const below = { texts: { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': old.certificate }, made: undefined, retiring: [] };
  assert.match(refusalOf(below, 'it') ?? '', /holds an intermediate authority that was brought/);
  assert.match(refusalOf({ texts: {}, made: undefined, retiring: [] }, 'it') ?? '', /holds no authority yet/);
});

test('nothing goes on while anybody lags, and it is said who', () => {
  const run = { isBegun: true, settledMs: 0, settleMs: 0 };
  const distributing = begin(made(), next);
  const renewing = sign(distributing);
  const reasonsOf = (stored: StoredAuthority, mesh: MeshView) => {
    const decision = decide(stored, mesh, run);
    return decision.next === 'Wait' ? decision.reasons.join() : decision.next;
  };
  const fine = settled(distributing);
  assert.equal(reasonsOf(distributing, fine), 'Sign');
  assert.match(reasonsOf(distributing, settled(distributing, { untrusting: ['shop/web'] })), /weft-1: 1 of 3 proxies .*shop\/web/);
  assert.match(reasonsOf(distributing, settled(distributing, { roots: [oldRoot] })), /has not read the new root/);
  assert.match(reasonsOf(distributing, { ...fine, trust: [{ namespace: 'shop', roots: [oldRoot] }] }), /ConfigMap shop\/weft-ca does not hold/);
  assert.match(reasonsOf(distributing, { ...fine, replicas: [...fine.replicas, { replica: 'weft-2', problem: 'is Pending' }] }), /weft-2: is Pending/);
  assert.match(reasonsOf(distributing, { ...fine, absent: ['shop/db'] }), /1 pods with a sidecar are not connected: shop\/db/);
  assert.match(reasonsOf(distributing, { ...fine, replicas: [] }), /no replica/);
  assert.equal(reasonsOf(renewing, settled(renewing)), 'Drop');
  assert.match(reasonsOf(renewing, settled(renewing, { unrenewed: ['shop/web'] })), /1 of 3 proxies have a certificate of the old/);
  assert.match(reasonsOf(renewing, settled(renewing, { signer: oldRoot })), /still signs with the old/);
});

test('whoever is left behind is not waited for, nor is what is in a namespace that is', () => {
  const distributing = begin(made(), next);
  const late = ['shop/stuck', 'shop/stuck', 'bank/a', 'bank/b', 'bank/c', 'bank/d', 'bank/e'];
  const mesh: MeshView = {
    ...settled(distributing, { proxies: 9, untrusting: late, unrenewed: late }),
    ...{ absent: ['shop/gone'], trust: [{ namespace: 'bank', roots: [], problem: 'holds something that is no certificate' }] },
  };
  const reasonsOf = (skipped: readonly string[], stored = distributing) => {
    const decision = decide(stored, leaveBehind(mesh, skipped), { isBegun: true, settledMs: 0, settleMs: 0 });
    return decision.next === 'Wait' ? decision.reasons.join('; ') : decision.next;
  };
  assert.match(reasonsOf([]), /7 of 9 proxies .*: shop\/stuck, bank\/a, bank\/b, bank\/c, bank\/d and 1 more .*--skip NAMESPACE\/POD/);
  assert.match(reasonsOf([]), /ConfigMap bank\/weft-ca holds something that is no certificate .*--skip bank/);
  assert.match(
    reasonsOf(['bank']),
    /^weft-1: 2 of 9 proxies .*: shop\/stuck \(.*; 1 pods with a sidecar are not connected: shop\/gone .*--skip NAMESPACE\/POD/,
  );
  assert.match(reasonsOf(['bank', 'shop/gone', 'shop/stuc']), /^weft-1: 2 of 9/, 'another pod whose name begins like that is not meant');
  assert.equal(reasonsOf(['bank', 'shop/gone', 'shop/stuck']), 'Sign');
  assert.match(reasonsOf(['bank', 'shop/gone'], sign(distributing)), /still signs|2 of 9/);
});

test('a root that is not good by the clock of a replica does not sign, and is not even begun with', async () => {
  const distributing = begin(made(), next);
  const day = 24 * 60 * 60_000;
  const at = (time: number) => decide(distributing, settled(distributing, { time }), { isBegun: true, settledMs: 0, settleMs: 0 });
  for (const [time, reason] of [
    [Date.now() - 2 * day, /^weft-1: by its clock the new root is good from 20.*Z only/],
    [Date.now() + 2 * day, /^weft-1: by its clock the new root has ended at 20/],
  ] as const) {
    const decision = at(time);
    assert.equal(decision.next, 'Wait');
    assert.match(decision.next === 'Wait' ? decision.reasons.join() : '', reason);
  }
  const { place, stored } = world({ looks: Number.POSITIVE_INFINITY });
  const ahead = () => authorityPair(Date.now() + 2 * day);
  await assert.rejects(run(place, { makeNext: ahead }), /weft-1: by its clock the new root is good from .*; correct the clock of this machine/);
  assert.deepEqual(stored(), made());
  await run(place, { makeNext: () => authorityPair(Date.now() + day / 2) });
  assert.notDeepEqual(rootsIn(stored()), [oldRoot], 'a clock that is ahead by half a day does no harm');
});

test('the next authority signs only after the files of pods had their time', () => {
  const distributing = begin(made(), next);
  const at = (settledMs: number) => decide(distributing, settled(distributing), { isBegun: true, settledMs, settleMs: 1000 });
  assert.deepEqual([at(0).next, at(999).next, at(1000).next], ['Wait', 'Wait', 'Sign']);
});

class Stopped extends Error {}

/** A mesh that follows its store one look later; whoever looks at it for the n-th time is stopped right there. */
function world(stopAt: { looks: number }, overtaken = 0) {
  let stored = made();
  let seen = stored;
  let conflicts = overtaken;
  const look = () => {
    if (stopAt.looks-- === 0) throw new Stopped();
  };
  const place: AuthorityPlace = {
    name: 'it',
    read: async () => {
      look();
      return {
        ...stored,
        write: async (step) => {
          look();
          if (conflicts-- > 0) return false;
          stored = step;
          look();
          return true;
        },
      };
    },
    mesh: async () => {
      look();
      const mesh = settled(seen);
      // Nobody is ever without a root for a certificate that is in use.
      assert.ok(rootsIn(seen).includes(fingerprintIn(seen.texts['tls.crt'] ?? '')));
      assert.ok(rootsIn(stored).includes(fingerprintIn(seen.texts['tls.crt'] ?? '')));
      seen = stored;
      return mesh;
    },
  };
  return { place, stored: () => stored };
}

function run(place: AuthorityPlace, more: Partial<RotateOptions> = {}): Promise<readonly string[]> {
  const told: Progress[] = [];
  const common = { settleMs: 0, timeoutMs: 60_000, skipAbsent: false, skip: [], intervalMs: 0, now: Date.now, makeNext: async () => next };
  return rotate({ place, tell: (progress) => told.push(progress), ...common, ...more }).then(() => told.map(({ step }) => step));
}

test('it can be stopped at any point and run again: the root changes once, and nobody is ever without trust', async () => {
  let stops = 0;
  for (; ; stops++) {
    const stopAt = { looks: stops };
    const { place, stored } = world(stopAt);
    const wasStopped = await run(place).then(
      () => false,
      (error: unknown) => {
        if (error instanceof Stopped) return true;
        throw error;
      },
    );
    stopAt.looks = Number.POSITIVE_INFINITY;
    // Stopped after the last write there is nothing left to do.
    if (wasStopped && !rootsIn(stored()).every((root) => root === nextRoot)) await run(place);
    assert.deepEqual([phaseOf(stored()), rootsIn(stored())], ['Idle', [nextRoot]], `stopped at ${stops}`);
    if (!wasStopped) break;
  }
  assert.ok(stops > 10, `${stops} points`);
});

test('whoever is overtaken looks again; whoever waits too long gives up with what it waited for', async () => {
  const { place } = world({ looks: Number.POSITIVE_INFINITY }, 2);
  assert.deepEqual(
    (await run(place)).filter((step) => step !== 'Wait'),
    ['Begin', 'Sign', 'Drop', 'Done'],
  );
  const { place: stuck } = world({ looks: Number.POSITIVE_INFINITY });
  const mesh = async (): Promise<MeshView> => ({ replicas: [], absent: [], trust: [] });
  await assert.rejects(run({ ...stuck, mesh }, { timeoutMs: 0 }), /nothing is lost: run it again to go on. It waited for: no replica/);
});

test('what was put back while the root was being changed is no success', async () => {
  for (const phase of ['Distributing', 'Renewing'] as const) {
    for (const isResumed of [false, true]) {
      const inner = world({ looks: Number.POSITIVE_INFINITY });
      let isPutBack = false;
      const read = async () => {
        const held = await inner.place.read();
        if (phaseOf(held) === phase && !isPutBack) {
          isPutBack = true;
          return { ...held, write: async () => false };
        }
        return isPutBack ? { ...made(), write: async () => assert.fail('nothing is written over what was put back') } : held;
      };
      if (isResumed) await run(inner.place, { tell: stopAfter(phase === 'Distributing' ? 'Begin' : 'Sign') }).catch(() => undefined);
      await assert.rejects(run({ ...inner.place, read }), /it was put back while the root was being changed, and the old authority signs; find who/);
    }
  }
});

/** As if the command was stopped right after that step. */
function stopAfter(last: Progress['step']): RotateOptions['tell'] {
  return ({ step }) => {
    if (step === last) throw new Stopped();
  };
}

test('what somebody else writes is left alone', async () => {
  const { place } = world({ looks: Number.POSITIVE_INFINITY });
  const read = async () => ({ ...(await place.read()), owner: 'cert-manager writes it for the Certificate root' });
  await assert.rejects(run({ ...place, read }), /it is not Weft's to change: cert-manager writes it/);
});

/** A folder that has gone through these steps. */
async function folderOf(t: TestContext, steps: readonly StoredAuthority[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-ca-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const step of steps) await writeFolder(folder, { ...step, made: step.made ?? '' });
  return folder;
}

/** The files of each step, in the order in which they are written. */
const orders = [
  ['next.key', 'next.crt', 'state.json', 'roots.crt'],
  ['roots.crt', 'ca.key', 'ca.crt', 'state.json'],
  ['roots.crt', 'ca.key', 'ca.crt', 'state.json'],
];

test('a folder that was left between two files of a step reads as before it or after it', async (t) => {
  const distributing = begin(made(), next);
  const renewing = sign(distributing);
  const steps = [made(), distributing, renewing, drop(renewing)];
  for (const [index, order] of orders.entries()) {
    const [before, complete] = await Promise.all([folderOf(t, steps.slice(0, index + 1)), folderOf(t, steps.slice(0, index + 2))]);
    const phases = await Promise.all([before, complete].map(async (folder) => phaseOf(await readFolder(folder))));
    assert.deepEqual(phases, ['Idle', 'Distributing', 'Renewing', 'Idle'].slice(index, index + 2));
    for (const file of order) {
      await cp(join(complete, file), join(before, file));
      const found = await readFolder(before);
      assert.ok(phases.includes(phaseOf(found)), `${file} of step ${index}: ${phaseOf(found)}`);
      assert.equal(refusalOf(found, 'it'), undefined, `${file} of step ${index}`);
      assert.ok(readAuthority(found.texts, { name: 'it', keys: fileNames, orElse: '' }, Date.now()), `${file} of step ${index}`);
    }
  }
});

test('of two who rotate a folder at once, one begins, and its key goes with its certificate', async (t) => {
  const folder = await folderOf(t, [made()]);
  for (let round = 0; round < 20; round++) {
    const before = await readFolder(folder);
    const pairs = await Promise.all([newRoot(), newRoot(), newRoot()]);
    const written = await Promise.all(pairs.map((pair) => replaceFolder(folder, before, begin(before, pair))));
    assert.equal(written.filter(Boolean).length, 1);
    const { texts } = await readFolder(folder);
    const winner = pairs[written.indexOf(true)];
    assert.deepEqual([texts['next.crt'], texts['next.key']], [winner?.certificate, winner?.key]);
    await writeFolder(folder, { ...made(), made: made().made });
  }
});

test('a lock that was left behind blocks nobody for long, and one that is held is waited for', async (t) => {
  const path = join(await folderOf(t, [made()]), 'write.lock');
  await writeFile(path, 'somebody who was killed');
  assert.equal(await withLock(path, async () => 'done', 100), 'done');
  let inside = 0;
  const work = async (turn: number) => {
    assert.equal(inside++, 0);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
    return turn;
  };
  const turns = await Promise.all(Array.from({ length: 8 }, (_, turn) => withLock(path, () => work(turn))));
  assert.deepEqual(turns, [0, 1, 2, 3, 4, 5, 6, 7]);
  await assert.rejects(readFile(path), { code: 'ENOENT' });
  await assert.rejects(
    withLock(path, () => Promise.reject(new Error('work'))),
    /work/,
  );
  assert.equal(await withLock(path, async () => 'free again'), 'free again');
});
