/** What the npm scripts call: `node scripts/run.mjs COMMAND`. Each command does its own set-up; Node and Python 3 with pip suffice. */
import { chdir } from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildImages } from './images.mjs';
import { writePrinted } from './printed.mjs';
import { writeSbom } from './sbom.mjs';
import { build, generate, install, progress, run } from './setup.mjs';
import { runTests } from './test.mjs';

const commands = {
  async generate() {
    await install();
    await generate(true);
    await build();
    await writePrinted();
  },
  images: () => buildImages(),
  sbom: () => writeSbom(),
  async build() {},
  async check() {
    const biome = await run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--max-diagnostics=200']);
    const knip = await run(process.execPath, ['node_modules/knip/bin/knip.js', '--no-progress', '--no-gitignore']);
    const architecture = await runTests(['test/architecture']);
    for (const [name, code] of Object.entries({ biome, knip, architecture })) progress(`${name}: ${code === 0 ? 'nothing to complain about' : 'see above'}`);
    return Math.max(biome, knip, architecture);
  },
  test: (args) => runTests(args),
  async golden() {
    const codes = [];
    for (const folder of ['golden', 'inject']) codes.push(await run(process.execPath, ['--enable-source-maps', `dist/test/${folder}/update.js`]));
    return Math.max(...codes);
  },
  bench: (args) => run(process.execPath, ['--enable-source-maps', 'dist/test/bench/main.js', ...args]),
  demo: (args) => run(process.execPath, ['--enable-source-maps', 'dist/src/main.js', 'demo', ...args]),
};

chdir(fileURLToPath(new URL('..', import.meta.url)));
const [name = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name)) {
  progress(`Unknown command ${JSON.stringify(name)}; one of ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}
if (!['generate', 'images', 'sbom'].includes(name)) await build();
try {
  process.exitCode = (await commands[name](args)) ?? 0;
} catch (error) {
  // The test runner takes over what nobody catches, and says nothing.
  progress(error instanceof Error ? error.stack : String(error));
  process.exitCode = 1;
}
