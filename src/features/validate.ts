/** Checks a value against a schema: what the schema says, and what only the API server would see in its keywords. */
import type { TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { parseDuration } from '../model/duration.js';
import { follow, isRecord, joinPath } from './field-path.js';
import { durationBounds } from './fields.js';
import { explain, type Problem } from './problem.js';

/** How many errors the validator looks for in one object, and are told of one; an unknown field counts as two. */
const maxErrors = 64;

Settings.Set({ maxErrors, useAcceleration: false });

/** Every problem of `value`, or those that are found first if it has many; empty for a value that the schema accepts. Compiles no code. */
export function validate(schema: TSchema, value: unknown): readonly Problem[] {
  if (Value.Check(schema, value)) return checkKeywords(schema, value, '').slice(0, maxErrors);
  const problems = [...Value.Errors(schema, value).flatMap((error) => explain(error, schema, value)), ...checkKeywords(schema, value, '')];
  return problems.length > 0
    ? problems.slice(0, maxErrors)
    : [{ field: '', value, reason: 'Invalid', message: 'is not what is expected here', remedy: 'see the reference' }];
}

/** The bounds of durations, and the keys of lists, which no two items share. */
function checkKeywords(schema: unknown, value: unknown, path: string): readonly Problem[] {
  if (typeof value === 'string') return checkDuration(follow(schema, [durationBounds]), value, path);
  if (Array.isArray(value)) return schema === undefined ? [] : checkList(schema, value, path);
  if (!isRecord(value) || schema === undefined) return [];
  return Object.entries(value).flatMap(([name, child]) => checkKeywords(follow(schema, ['properties', name]), child, joinPath(path, name)));
}

function checkDuration(bounds: unknown, value: string, field: string): readonly Problem[] {
  const [min, max] = [follow(bounds, ['min']), follow(bounds, ['max'])];
  if (parseDuration(value) === undefined) return [];
  if (typeof min === 'string' && millis(value) < millis(min)) return [outside(field, value, `must be at least ${min}`, `write ${min} or more`)];
  if (typeof max === 'string' && millis(value) > millis(max)) return [outside(field, value, `must be at most ${max}`, `write ${max} or less`)];
  return [];
}

function millis(duration: string): number {
  return parseDuration(duration) ?? 0;
}

function outside(field: string, value: unknown, message: string, remedy: string): Problem {
  return { field, value, reason: 'Invalid', message, remedy };
}

function checkList(schema: unknown, items: readonly unknown[], path: string): readonly Problem[] {
  const keys = items.map((item) => keyOfItem(schema, item));
  const firsts = new Map(keys.map((key, index): [string | undefined, number] => [key, index]).toReversed());
  const repeated = keys.flatMap((key, index) => {
    const first = firsts.get(key);
    return key === undefined || first === index ? [] : [outside(`${path}[${index}]`, items[index], `repeats item ${first}`, 'remove one of the two')];
  });
  return [...repeated, ...items.flatMap((item, index) => checkKeywords(follow(schema, ['items']), item, `${path}[${index}]`))];
}

/** What must be unique about an item, or undefined. */
function keyOfItem(schema: unknown, item: unknown): string | undefined {
  const type = follow(schema, ['x-kubernetes-list-type']);
  if (type === 'set') return JSON.stringify(item);
  const name = follow(schema, ['x-kubernetes-list-map-keys', '0']);
  return type === 'map' && typeof name === 'string' ? JSON.stringify(follow(item, [name])) : undefined;
}
