import assert from 'node:assert/strict';
import test from 'node:test';
import { toPathRewrite } from './to-path.js';

/** As Envoy does it: a prefix match replaces what it matched, an expression its first match. */
function rewrite(path: string, prefix: string, replacement: string): string {
  const { prefix_rewrite, regex_rewrite } = toPathRewrite(
    { type: 'ReplacePrefixMatch', replacePrefixMatch: replacement },
    { path: { type: 'PathPrefix', value: prefix } },
  );
  if (regex_rewrite) return path.replace(new RegExp(regex_rewrite.pattern?.regex ?? ''), regex_rewrite.substitution ?? '');
  const matched = prefix.replace(/\/+$/, '') || '/';
  return prefix_rewrite === undefined ? path : prefix_rewrite + path.slice(matched.length);
}

/** The table of HTTPPathModifier.replacePrefixMatch in the Gateway API, and everything below /. */
const table = [
  ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
  ['/foo', '/foo', '/xyz', '/xyz'],
  ['/foo/', '/foo', '/xyz', '/xyz/'],
  ['/foo/bar', '/foo', '', '/bar'],
  ['/foo/', '/foo', '', '/'],
  ['/foo', '/foo', '', '/'],
  ['/foo/', '/foo', '/', '/'],
  ['/foo', '/foo', '/', '/'],
  ['/a.b/c', '/a.b', '/', '/c'],
  ['/bar', '/', '/xyz', '/xyz/bar'],
  ['/bar', '/', '/', '/bar'],
] as const;

for (const [path, prefix, replacement, expected] of table) {
  test(`${path} with ${prefix} replaced by ${JSON.stringify(replacement)} is ${expected}`, () => assert.equal(rewrite(path, prefix, replacement), expected));
}

test('a full path is taken as it is written', () => {
  const { regex_rewrite } = toPathRewrite({ type: 'ReplaceFullPath', replaceFullPath: '/a\\1' }, {});
  assert.deepEqual(regex_rewrite, { pattern: { regex: '^/.*$' }, substitution: '/a\\\\1' });
});
