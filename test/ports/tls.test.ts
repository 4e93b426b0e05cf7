/** testssl.sh on each port that speaks TLS; its reports are kept in reports/. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startStage } from './honest.js';

const run = promisify(execFile);

/**
 * What is not asked of these ports: no browser comes here, so there are no headers for one, no name in the public DNS and no
 * public authority; certificates live for weeks and are replaced, not revoked.
 */
const noFindings = /^(cert_|HSTS|security_headers|DNS_CAArecord)/;

/** A remark of the tool on itself is a WARN. */
const severities: ReadonlySet<string> = new Set(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']);

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

test('testssl.sh finds nothing in the ports that speak TLS', async (t) => {
  const stage = await startStage();
  t.after(stage.close);
  await mkdir('reports', { recursive: true });
  const { xds, webhook } = stage.ports;
  const reports = await Promise.all(Object.entries({ xds, webhook }).map(async ([name, port]) => ({ name, findings: await report(name, port) })));
  for (const { name, findings } of reports) {
    const bad = findings.filter(({ id, severity }) => severities.has(severity) && !noFindings.test(id));
    process.stdout.write(`# testssl.sh on ${name}: ${findings.length} checks, ${bad.length} findings; reports/testssl-${name}.json\n`);
    assert.deepEqual(bad, []);
    assert.ok(findings.length > 60);
    const offered = findings.filter(({ id, finding }) => /^(SSLv[23]|TLS1(_[123])?)$/.test(id) && !finding.startsWith('not offered')).map(({ id }) => id);
    assert.deepEqual(offered, ['TLS1_3'], `${name} offers other versions`);
  }
});

/** Protocols, ciphers, forward secrecy, the certificate, and the known weaknesses. */
async function report(name: string, port: number): Promise<readonly Finding[]> {
  const file = join('reports', `testssl-${name}.json`);
  await rm(file, { force: true });
  const args = ['--quiet', '--color', '0', '--warnings', 'off', '--jsonfile', file, '-p', '-s', '-f', '-S', '-U', `127.0.0.1:${port}`];
  await run('testssl', args, { maxBuffer: 2 ** 24 }).catch(() => undefined);
  return JSON.parse(await readFile(file, 'utf8'));
}
