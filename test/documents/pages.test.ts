/** The pages under docs/: each command is run by CI or says why not, and each link leads somewhere. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const pages = (await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => join('docs', name));

test('each block of commands is run, or says why not', async () => {
  for (const page of pages) {
    const fences = (await readFile(page, 'utf8')).matchAll(/^```(?:sh|shell|bash|console)\b.*$/gm);
    for (const [fence] of fences) assert.match(fence, /^```sh (?:run|not run: .+)$/, page);
  }
});

test('each link between the pages leads somewhere', async () => {
  for (const page of [...pages, 'README.md', 'CONTRIBUTING.md']) {
    const links = (await readFile(page, 'utf8')).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g);
    for (const [, link = ''] of links) assert.ok(existsSync(join(dirname(page), link)), `${page} links to ${link}`);
  }
});
