/** Certificates for tests, made by the openssl command where there is one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Whether {@link makeCertificates} can work on this machine. */
export const canMakeCertificates = spawnSync('openssl', ['version']).status === 0;

/** A new authority, and a certificate for `localhost` that it has signed for each of the names. */
export function makeCertificates(names: readonly string[]): { readonly authority: string; readonly leaves: ReadonlyMap<string, Certificate> } {
  const folder = mkdtempSync(join(tmpdir(), 'weft-certificates-'));
  const at = (file: string) => join(folder, file);
  const openssl = (...args: readonly string[]) => execFileSync('openssl', [...args], { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  try {
    openssl('req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=test authority', '-days', '2');
    writeFileSync(at('ext'), 'subjectAltName=DNS:localhost\n');
    const leaves = names.map((name): readonly [string, Certificate] => {
      openssl('req', ...newKey, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`);
      openssl(
        'x509',
        '-req',
        '-in',
        at(`${name}.csr`),
        '-CA',
        at('ca.pem'),
        '-CAkey',
        at('ca.key'),
        '-CAcreateserial',
        '-out',
        at(`${name}.pem`),
        '-days',
        '2',
        '-extfile',
        at('ext'),
      );
      return [name, { certificate: readFileSync(at(`${name}.pem`), 'utf8'), key: readFileSync(at(`${name}.key`), 'utf8') }];
    });
    return { authority: readFileSync(at('ca.pem'), 'utf8'), leaves: new Map(leaves) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
