/** From the text of one file to the objects in it. */
import { setImmediate } from 'node:timers/promises';

import { isPlain, type Plain, textOf } from '../../kubernetes/plain.js';
import type { Diagnostic, Origin } from '../../model/diagnostic.js';
import type { ObjectRef } from '../../model/name.js';
import type { Change, Parsed, Parser, Parsers } from '../change.js';
import { refOf, showValue } from '../objects/plain.js';
import { readDocuments, type TextDocument } from './documents.js';
import { isMeshRoute, judgeKind, meshRoute, ownGroup } from './unknown-kind.js';

/** One object of a file. */
export interface Item {
  /** The same for all versions of one object, wherever they are written. */
  readonly id: string;
  readonly object: ObjectRef;
  readonly origin: Origin;
  /** Left out where the object is broken, or of no use to the mesh. */
  readonly change?: Change | undefined;
  /** Whether an earlier version of the object has to stay in force instead. */
  readonly isBroken: boolean;
  /** What is in force where there is no earlier version of a broken object. */
  readonly standIn?: Parsed<Change> | undefined;
  /** What is wrong with a broken object without a good version of which nothing may be served. */
  readonly vital?: readonly Diagnostic[] | undefined;
}

/** The {@link Item.id} of an object. */
export function identify({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}

/** What a file says. */
export interface FileContent {
  readonly items: readonly Item[];
  readonly diagnostics: readonly Diagnostic[];
  /** Whether the file holds something of which not even the name can be trusted: an object that seems to be gone may still be there. */
  readonly isUnsure: boolean;
}

interface Context {
  readonly file: string;
  readonly parsers: Parsers;
}

/** An object in a document: the document itself, or an item of a List, whose path is `items[3]`. */
interface Place {
  readonly document: TextDocument;
  readonly path: string;
}

const keepsGood = 'until then, what was good in the file before stays in force';

/** How long a file is read before others have their turn, in milliseconds. */
const turnMs = 10;

/** Reads a file's objects with the parsers given. The path is as diagnostics show it. A long file does not hold up everything else. */
export async function interpretFile(file: string, text: string, parsers: Parsers): Promise<FileContent> {
  const contents: FileContent[] = [];
  let begun = performance.now();
  for (const document of readDocuments(text)) {
    contents.push(interpretDocument({ file, parsers }, document));
    if (performance.now() - begun < turnMs) continue;
    await setImmediate();
    begun = performance.now();
  }
  return bounded(file, combine(contents));
}

/** What one file has to say is not to drown what others have. */
const mostTold = 100;

function bounded(file: string, content: FileContent): FileContent {
  const { diagnostics } = content;
  if (diagnostics.length <= mostTold) return content;
  const more: Diagnostic = {
    ...{ severity: 'error', object: fileRef(file), field: '', reason: 'Invalid', message: `has ${diagnostics.length - mostTold} more problems` },
    ...{ remedy: 'correct those that are told first', origin: { file, line: 1 } },
  };
  return { ...content, diagnostics: [...diagnostics.slice(0, mostTold), more] };
}

/** The content of a file that cannot be read. */
export function unreadable(file: string, message: string, remedy: string): FileContent {
  return unsure({ severity: 'error', object: fileRef(file), field: '', reason: 'Unreadable', message, remedy, origin: { file, line: 1 } });
}

function interpretDocument(context: Context, document: TextDocument): FileContent {
  const { value, problem } = document;
  if (!problem) return value === undefined ? combine([]) : interpretValue(context, { document, path: '' }, value);
  const object = partialRef(context, value);
  const origin = { file: context.file, line: problem.line };
  const remedy = `correct the YAML; ${keepsGood}`;
  const diagnostic: Diagnostic = { severity: 'error', object, field: '', reason: 'InvalidYaml', message: problem.message, remedy, origin };
  const found = interpretValue(context, { document, path: '' }, value).items.filter(isMissed);
  return { ...unsure(diagnostic), items: found.map((item) => ({ ...item, ...(item.vital ? { vital: [diagnostic] } : {}) })) };
}

/** Whether it makes a difference that no good version of the object is known. */
function isMissed({ standIn, vital }: Item): boolean {
  return standIn?.object !== undefined || vital !== undefined;
}

function interpretValue(context: Context, place: Place, value: unknown): FileContent {
  if (!isPlain(value)) return strange(context, place, '', value, 'is not an object', 'write a map with apiVersion, kind and metadata');
  const [apiVersion, kind] = [textOf(value, 'apiVersion'), textOf(value, 'kind')];
  if (!apiVersion)
    return strange(
      context,
      place,
      'apiVersion',
      value['apiVersion'],
      absence(value['apiVersion']),
      'add the apiVersion, such as v1, or move the file out of the folder',
    );
  if (!kind) return strange(context, place, 'kind', value['kind'], absence(value['kind']), 'add the kind, such as Service, or move the file out of the folder');
  if (kind.endsWith('List') && Array.isArray(value['items'])) return interpretList(context, place, value['items']);
  if (apiVersion === 'v1' && kind === 'List' && (value['items'] ?? undefined) !== undefined)
    return strange(context, place, 'items', value['items'], 'must be a list', 'write one "- apiVersion: ..." for each object');
  const parser = Object.hasOwn(context.parsers, `${apiVersion}/${kind}`) ? context.parsers[`${apiVersion}/${kind}`] : undefined;
  return parser ? interpretObject(context, place, parser, withNamespace(parser, value)) : interpretUnknown(context, place, value);
}

function absence(value: unknown): string {
  return (value ?? '') === '' ? 'is missing' : 'must be text';
}

function interpretList(context: Context, { document, path }: Place, items: readonly unknown[]): FileContent {
  const prefix = path === '' ? 'items' : `${path}.items`;
  return combine(items.map((item, index) => interpretValue(context, { document, path: `${prefix}[${index}]` }, item)));
}

function interpretObject(context: Context, place: Place, parser: Parser, raw: Plain): FileContent {
  const parsed = parser.parse(raw);
  const object = refOf(parser.kind, parser.namespaced, raw);
  const located = (found: readonly Diagnostic[]) => found.map((each) => ({ ...each, origin: originOf(context, place, each.field) }));
  const diagnostics = located(parsed.diagnostics);
  if (textOf(raw['metadata'], 'name') === '') return { items: [], diagnostics, isUnsure: true };
  const isWhole = place.document.problem === undefined;
  const isBroken = !isWhole || (parsed.object === undefined && diagnostics.some(({ severity }) => severity === 'error'));
  const item = { id: identify(object), object, origin: originOf(context, place, ''), isBroken };
  if (!isBroken) return { items: [{ ...item, change: parsed.object }], diagnostics, isUnsure: false };
  const standIn = parser.standIn?.(raw, isWhole);
  const vital = parser.isVital?.(formatKey(object)) ? diagnostics : undefined;
  return { items: [{ ...item, vital, standIn: standIn && { ...standIn, diagnostics: located(standIn.diagnostics) } }], diagnostics, isUnsure: false };
}

function formatKey({ namespace, name }: ObjectRef): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

function interpretUnknown(context: Context, place: Place, value: Plain): FileContent {
  const kind = textOf(value, 'kind');
  const isRoute = isMeshRoute(value);
  const problem = isRoute ? meshRoute : judgeKind(textOf(value, 'apiVersion'), kind, context.parsers);
  if (!problem) return combine([]);
  const origin = originOf(context, place, problem.field);
  const diagnostic = { ...problem, object: refOf(kind, true, value), value: showValue(value[problem.field]), reason: 'UnknownKind', origin };
  if (isRoute) return { items: [], diagnostics: [diagnostic], isUnsure: false };
  const known = problem.field === 'apiVersion' ? ownParser(context.parsers, value) : undefined;
  return { ...unsure(diagnostic), items: known ? interpretObject(context, place, known, withNamespace(known, value)).items.filter(isMissed) : [] };
}

/** An object of Weft's own in a version that is not read protects no less than one in another. */
function ownParser(parsers: Parsers, value: Plain): Parser | undefined {
  const isOwn = textOf(value, 'apiVersion').startsWith(`${ownGroup}/`);
  const id = Object.keys(parsers).find((each) => each.startsWith(`${ownGroup}/`) && each.endsWith(`/${textOf(value, 'kind')}`));
  return isOwn && id !== undefined ? parsers[id] : undefined;
}

function strange(context: Context, place: Place, field: string, value: unknown, message: string, remedy: string): FileContent {
  const origin = originOf(context, place, field);
  return unsure({
    severity: 'error',
    object: fileRef(context.file),
    field: join(place.path, field),
    value: showValue(value),
    reason: 'Invalid',
    message,
    remedy,
    origin,
  });
}

function unsure(diagnostic: Diagnostic): FileContent {
  return { items: [], diagnostics: [diagnostic], isUnsure: true };
}

function combine(contents: readonly FileContent[]): FileContent {
  return {
    items: contents.flatMap(({ items }) => items),
    diagnostics: contents.flatMap(({ diagnostics }) => diagnostics),
    isUnsure: contents.some(({ isUnsure }) => isUnsure),
  };
}

/** Files are written without a namespace where kubectl would add the one of its context, which is mostly `default`. */
function withNamespace(parser: Parser, raw: Plain): Plain {
  const metadata = raw['metadata'];
  if (!parser.namespaced || !isPlain(metadata) || (metadata['namespace'] ?? '') !== '') return raw;
  return { ...raw, metadata: { ...metadata, namespace: 'default' } };
}

function partialRef({ file, parsers }: Context, value: unknown): ObjectRef {
  const parser = parsers[`${textOf(value, 'apiVersion')}/${textOf(value, 'kind')}`];
  const isNamed = isPlain(value) && textOf(value['metadata'], 'name') !== '';
  return parser && isNamed ? refOf(parser.kind, parser.namespaced, value) : fileRef(file);
}

function fileRef(file: string): ObjectRef {
  return { kind: 'File', namespace: '', name: file };
}

function originOf({ file }: Context, { document, path }: Place, field: string): Origin {
  return { file, line: document.lineOf(join(path, field)) };
}

function join(path: string, field: string): string {
  return path === '' || field === '' ? path + field : `${path}.${field}`;
}
