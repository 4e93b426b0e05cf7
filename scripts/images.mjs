/**
 * `npm run images`: builds the two images of the Dockerfile. WEFT_IMAGE_TAG is their tag (`dev` unless set), WEFT_IMAGE_PREFIX what
 * stands before their names (`localhost/weft/`). They are built by the command in WEFT_BUILD_IMAGE, which is called as
 * `COMMAND NAME [OPTION]... CONTEXT` with the options of `buildah build`, or by docker, podman or buildah, whichever is there. With
 * WEFT_KIND_CLUSTER set, `kind load` brings them to the cluster of that name.
 */
import { progress, run } from './setup.mjs';

const targets = ['weft', 'weft-init'];

/** By program: the arguments of a build, before its options. */
const builders = {
  docker: (name) => ['build', '--quiet', '--tag', name],
  podman: (name) => ['build', '--quiet', '--timestamp', '0', '--tag', name],
  buildah: (name) => ['build', '--quiet', '--layers', '--timestamp', '0', '--tag', name],
};

/** Builds (and loads) both images; resolves to the exit code. */
export function buildImages() {
  const { WEFT_IMAGE_PREFIX: prefix = 'localhost/weft/', WEFT_IMAGE_TAG: tag = 'dev' } = process.env;
  return buildAll(targets.map((target) => ({ name: `${prefix}${target}:${tag}`, options: ['--target', target], context: '.' })));
}

/** Builds (and loads) images, each with its name, the options of its build and the folder of its context; resolves to the exit code. */
export async function buildAll(images) {
  const kind = process.env.WEFT_KIND_CLUSTER;
  const build = await builder();
  for (const image of images) {
    progress(`Building ${image.name}`);
    const code = await build(image);
    if (code !== 0) return code;
  }
  return kind ? run('kind', ['load', 'docker-image', '--name', kind, ...images.map(({ name }) => name)]) : 0;
}

async function builder() {
  const given = process.env.WEFT_BUILD_IMAGE;
  if (given) return ({ name, options, context }) => run(given, [name, '--timestamp', '0', ...options, context]);
  for (const [program, args] of Object.entries(builders)) {
    if (await exists(program)) return ({ name, options, context }) => run(program, [...args(name), ...options, context], { SOURCE_DATE_EPOCH: '0' });
  }
  throw new Error(`none of ${Object.keys(builders).join(', ')} is installed; install one, or name a command in WEFT_BUILD_IMAGE`);
}

async function exists(program) {
  return (await run(program, ['version'], {}, 'ignore').catch(() => 1)) === 0;
}
