/** The message without the fields that are undefined, so that a fragment says only what its stanza says. */
export function defined<T extends object>(message: T): T {
  const copy = { ...message };
  for (const key of keysOf(copy)) if (copy[key] === undefined) delete copy[key];
  return copy;
}

function keysOf<T extends object>(value: T): readonly (keyof T)[] {
  const keys: (keyof T)[] = [];
  for (const key in value) keys.push(key);
  return keys;
}
