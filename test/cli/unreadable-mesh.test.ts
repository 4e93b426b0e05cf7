/** `weft serve` over a folder whose Mesh cannot be read. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../support/envoy.js';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const mesh = (spec: string) => `apiVersion: weft.dev/v1alpha1\nkind: Mesh\nmetadata: {name: default}\nspec: ${spec}\n`;

/** How `weft serve` ends. */
async function serve(t: TestContext, text: string): Promise<{ readonly code: number | null; readonly said: string }> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'mesh.yaml'), text);
  return new Promise((resolve) => {
    const args = [main, 'serve', '--manifests', folder, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const child = execFile(process.execPath, args, (_, __, stderr) => resolve({ code: child.exitCode, said: stderr }));
    t.after(() => child.kill('SIGKILL'));
  });
}

test('it serves nothing, says what is wrong and where, and ends with 1', { timeout: 30_000 }, async (t) => {
  const wrong = await serve(t, mesh('{mtls: Stirct}'));
  assert.equal(wrong.code, 1, wrong.said);
  assert.match(wrong.said, /the Mesh cannot be read, and nothing is served without it/);
  assert.match(
    wrong.said,
    /mesh\.yaml:4: error: Mesh default spec\.mtls: is not one of Permissive, Strict \(got "Stirct"\)\n {4}remedy: did you mean Strict\?/,
  );
  const noYaml = await serve(t, mesh('{mtls: Strict'));
  assert.equal(noYaml.code, 1, noYaml.said);
  assert.match(noYaml.said, /mesh\.yaml:\d: error: Mesh default/);
});
