import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tellStory } from './story.js';

test('grpc-js follows Weft without a proxy', { timeout: 120_000 }, async (t) => {
  await tellStory(t, [process.execPath, fileURLToPath(new URL('./grpc-js/client.js', import.meta.url))]);
});
