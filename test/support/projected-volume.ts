/** A folder as the kubelet makes it for a projected volume: all its files change at once, by the renaming of a link. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Such a folder. */
export interface ProjectedVolume {
  readonly folder: string;
  /** Puts these files in the place of all that were there. The names have to be those of the first time. */
  readonly replace: (files: Readonly<Record<string, string>>) => Promise<void>;
}

/** Makes the folder, which must not exist, with its first files. */
export async function projectVolume(folder: string, files: Readonly<Record<string, string>>): Promise<ProjectedVolume> {
  let generation = 0;
  const replace = async (next: Readonly<Record<string, string>>) => {
    const before = join(folder, `..${generation}`);
    const name = `..${++generation}`;
    await mkdir(join(folder, name), { recursive: true });
    for (const [file, text] of Object.entries(next)) await writeFile(join(folder, name, file), text);
    await symlink(name, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(before, { recursive: true, force: true });
  };
  await replace(files);
  for (const file of Object.keys(files)) await symlink(join('..data', file), join(folder, file));
  return { folder, replace };
}
