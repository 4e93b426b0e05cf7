import { test } from 'node:test';
import { buildGo } from './go-program.js';
import { tellStory } from './story.js';

/**
 * grpc-go uses new routes a moment before its balancer knows their clusters (ClientConn.applyServiceConfigAndBalancer comes
 * before updateClientConnState), and calls in between fail inside the client. No order of responses avoids it.
 */
const raceOfTheClient = /unknown cluster selected for RPC/;

test('grpc-go follows Weft without a proxy', { timeout: 300_000 }, async (t) => {
  await tellStory(t, [await buildGo('grpc-go')], raceOfTheClient);
});
