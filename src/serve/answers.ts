/** What a client says of the responses that it was sent: that it has taken them over, or not. */
import type { ResourceType } from '../envoy/resource.js';
import { type Core, learnedTypes } from './core.js';
import { confirm, restore, type Sent, type Subscription, take } from './subscription.js';

/** The client has taken a response over. */
export function acknowledge(core: Core, type: ResourceType, nonce: string): void {
  const subscription = core.types.get(type);
  if (!subscription) return;
  for (const sent of take(subscription, nonce)) {
    confirm(subscription, sent);
    subscription.alone.delete(sent.name);
    const entry = core.scope.entry(type, sent.name);
    if (entry && sent.version) core.scope.accept(entry, sent.version);
  }
  core.settle();
}

/** The client has refused a response, in these words. */
export function refuse(core: Core, type: ResourceType, nonce: string, message: string): void {
  const subscription = core.types.get(type);
  if (!subscription) return;
  const batch = take(subscription, nonce);
  const suspects = batch.filter(({ version }) => version);
  const guilty = core.traits.isolate && suspects.length > 1 ? [] : named(suspects, message);
  for (const sent of batch) {
    if (!sent.version) confirm(subscription, sent);
    else restore(subscription, sent);
    if (guilty.includes(sent)) convict(core, type, subscription, sent, message);
    else if (suspects.length > 0) sendAgain(core, subscription, sent);
  }
  core.settle();
}

/** A response was refused for something else in it, and nothing of it may have been taken over; a removal is not repeated. */
function sendAgain(core: Core, subscription: Subscription, { name, version }: Sent): void {
  if (core.traits.isolate && version) subscription.alone.add(name);
  subscription.forced.add(name);
  subscription.dirty.add(name);
}

/** This version is at fault. A client that has no other is offered one, and first what that one refers to. */
function convict(core: Core, type: ResourceType, subscription: Subscription, { name, version }: Sent, message: string): void {
  const entry = core.scope.entry(type, name);
  const earlier = subscription.refused.get(name);
  const first = earlier && earlier.version === entry?.current()?.version ? earlier : { version, message };
  subscription.refused.set(name, { version: first.version, message: first.message, versions: new Set([...(earlier?.versions ?? []), version]) });
  subscription.dirty.add(name);
  if (subscription.held.get(name)?.version || entry?.accepted()) return;
  for (const reference of entry?.fallback()?.references ?? []) if (learnedTypes.has(reference.type)) core.scope.learn(reference.type, [reference.name]);
}

/** Those of a refused response whose names are in the client's words; all of them when none is. */
function named(suspects: readonly Sent[], message: string): readonly Sent[] {
  const blamed = suspects.filter(({ name }) => mentions(message, name));
  return blamed.length > 0 ? blamed : suspects;
}

/** Whether a text holds a name as a whole word: `a` is not in `ab`. */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (!isWordPart(text[at - 1]) && !isWordPart(text[at + name.length])) return true;
  }
  return false;
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /[\w-]/.test(character);
}
