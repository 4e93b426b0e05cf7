/** Prints docs/configuration.md from charts/weft/values.yaml, whose comments say what each value is for. */
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

const head = `# Settings of the chart

Given to \`weft install\` (or helm) by \`--set name=value\` or in a file by \`--values\`. A name or a value that the chart does not know is
refused, with the reason. This page is printed from \`charts/weft/values.yaml\`.

`;

/** A value of the chart, or a group of them. */
interface Row {
  /** \`controller.replicas\`. */
  readonly name: string;
  /** As JSON; empty for a group. */
  readonly value: string;
  readonly meaning: string;
}

/** The page. */
export function chartReference(values: string): string {
  const document = parseDocument(values);
  if (!isMap(document.contents)) throw new Error('values.yaml is no map');
  const rows = rowsOf(document.contents, '');
  const lines = rows.map(({ name, value, meaning }) => `| \`${name}\` | ${value && `\`${value}\``} | ${meaning.replaceAll('|', '\\|')} |`);
  return `${head}| value | default | meaning |\n| --- | --- | --- |\n${lines.join('\n')}\n`;
}

function rowsOf(map: YAMLMap, parent: string): readonly Row[] {
  return map.items.flatMap((pair, index) => {
    const name = `${parent}${String(isScalar(pair.key) ? pair.key.value : '')}`;
    const meaning = commentOf(map, pair, index);
    const { value } = pair;
    if (isMap(value) && value.items.length > 0) return [...(meaning ? [{ name, value: '', meaning }] : []), ...rowsOf(value, `${name}.`)];
    const plain: unknown = isScalar(value) ? value.value : isMap(value) ? {} : [];
    return [{ name, value: JSON.stringify(plain), meaning }];
  });
}

/** The comment right above a key; that of the first key in a map is kept with the map. */
function commentOf(map: YAMLMap, { key }: Pair, index: number): string {
  const own = isScalar(key) ? key.commentBefore : undefined;
  const comment = own ?? (index === 0 ? map.commentBefore : undefined) ?? '';
  const nearest = comment.split('\n\n').at(-1) ?? '';
  return nearest
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
}
