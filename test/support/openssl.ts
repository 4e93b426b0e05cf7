/** What the openssl command makes of certificates: somebody else's verdict. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the files of one question. */
function inFolder<Answer>(files: Readonly<Record<string, string>>, ask: (at: (file: string) => string) => Answer): Answer {
  const folder = mkdtempSync(join(tmpdir(), 'weft-openssl-'));
  const at = (file: string) => join(folder, file);
  try {
    for (const [file, text] of Object.entries(files)) writeFileSync(at(file), text, { mode: 0o600 });
    return ask(at);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `openssl verify` of the first certificate of a chain against a bundle, for both purposes; the empty text when it is accepted. Partial chains are not. */
export function verifyProblems(chain: string, bundle: string): string {
  return inFolder({ 'chain.pem': chain, 'bundle.pem': bundle }, (at) => {
    const problems = ['sslserver', 'sslclient'].map((purpose) => {
      const args = ['verify', '-x509_strict', '-no-CApath', '-purpose', purpose, '-CAfile', at('bundle.pem'), '-untrusted', at('chain.pem'), at('chain.pem')];
      const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
      return status === 0 ? '' : stdout + stderr;
    });
    return problems.join('');
  });
}

/** `openssl x509 -text` of the first certificate. */
export function textOf(certificate: string): string {
  return inFolder({ 'one.pem': certificate }, (at) => execFileSync('openssl', ['x509', '-noout', '-text', '-in', at('one.pem')], { encoding: 'utf8' }));
}

/** An authority below another, made by the openssl command as a user's own tools would: the certificate alone, and its key. */
export function makeIntermediate(
  root: { readonly certificate: string; readonly key: string },
  pathLength = 0,
): { readonly certificate: string; readonly key: string } {
  const ext = `basicConstraints=critical,CA:TRUE,pathlen:${pathLength}\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`;
  return inFolder({ 'ca.pem': root.certificate, 'ca.key': root.key, ext }, (at) => {
    const openssl = (...args: readonly string[]) => execFileSync('openssl', [...args], { stdio: 'pipe' });
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('key'));
    openssl('req', '-new', '-key', at('key'), '-subj', '/CN=intermediate', '-out', at('csr'));
    openssl(
      'x509',
      '-req',
      '-in',
      at('csr'),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
      '-days',
      '1',
      '-extfile',
      at('ext'),
      '-out',
      at('pem'),
    );
    return { certificate: readFileSync(at('pem'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
  });
}
