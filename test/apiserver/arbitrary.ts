/** Random values for a schema: mostly such as it accepts, of few different words, so that fields meet each other; some that it does not. */
import fc from 'fast-check';
import { follow, isRecord } from '../../src/features/field-path.js';

/** A word stands wherever a schema lets it. */
const words = [
  ...['a', 'b', 'reviews', 'A', 'host', 'Host', 'HOST', 'x-b', 'v1', '', 'a b', 'é', 'a.b', 'Ä\u0308', 'a\tb'],
  ...['/', '/a', '/a/', '/a b', '/a//b', '/a/..', '/a%2Fb', '/%zz', '/a?b', '(', '[a-z]+', '/v[0-9]+', '(?=a)', 'x'.repeat(1025)],
  ...['spiffe://a/b', '10.0.0.0/8', '10.0.0.0/33', '::1/128', '/a;b', '/%41'],
  ...['0s', '1ms', '999ms', '1s', '10s', '31s', '1m', '61s', '1h', '61m', '25h', '721h', '8761h', '1h1s2ms'],
];

/** Values for a schema of `src/features`. */
export function arbitrary(schema: unknown): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 400, arbitrary: fitting(schema) }, { weight: 1, arbitrary: fc.constantFrom<unknown>('x', 7, true, {}, []) });
}

function fitting(schema: unknown): fc.Arbitrary<unknown> {
  const values = follow(schema, ['enum']);
  if (Array.isArray(values)) return fc.constantFrom<unknown>(...values);
  switch (follow(schema, ['type'])) {
    case 'string':
      return textFor(schema);
    case 'integer':
      return wholeFor(schema);
    case 'array':
      return listFor(schema);
    default:
      return objectFor(schema);
  }
}

function textFor(schema: unknown): fc.Arbitrary<unknown> {
  const pattern = new RegExp(String(follow(schema, ['pattern']) ?? ''), 'u');
  const [least, most] = [numberAt(schema, 'minLength') ?? 0, numberAt(schema, 'maxLength') ?? 10];
  return fc.constantFrom(...words.filter((word) => pattern.test(word) && word.length >= least && word.length <= most + 1));
}

function wholeFor(schema: unknown): fc.Arbitrary<unknown> {
  const [least, most] = [numberAt(schema, 'minimum') ?? 0, numberAt(schema, 'maximum') ?? 10];
  return fc.oneof({ weight: 100, arbitrary: fc.constantFrom(least, least + 1, Math.floor((least + most) / 2), most) }, fc.constantFrom(least - 1, most + 1));
}

function listFor(schema: unknown): fc.Arbitrary<unknown> {
  const least = numberAt(schema, 'minItems') ?? 0;
  return fc.array(arbitrary(follow(schema, ['items'])), { minLength: least, maxLength: least + 2, size: 'max' });
}

/** Fields that may be left out mostly are. */
function objectFor(schema: unknown): fc.Arbitrary<unknown> {
  const map = follow(schema, ['patternProperties']);
  if (isRecord(map)) return fc.dictionary(fc.constantFrom('app', 'a b', 'example.com/a'), arbitrary(Object.values(map)[0]), { minKeys: 1, maxKeys: 2 });
  const [properties, required] = [follow(schema, ['properties']), follow(schema, ['required'])];
  const fields = Object.entries(isRecord(properties) ? properties : {}).map(([name, field]) => {
    const value = arbitrary(field).map((each): readonly (readonly [string, unknown])[] => [[name, each]]);
    return Array.isArray(required) && required.includes(name) ? value : fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: value });
  });
  return fc.tuple(...fields).map((entries) => Object.fromEntries(entries.flat()));
}

function numberAt(schema: unknown, keyword: string): number | undefined {
  const value = follow(schema, [keyword]);
  return typeof value === 'number' ? value : undefined;
}
