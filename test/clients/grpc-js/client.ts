/** A proxyless gRPC client: for each line of JSON on stdin it makes calls and writes a line with what came back. */
import { createInterface } from 'node:readline';
import * as grpc from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';
import { sayPath } from '../echo.js';
import type { Order, Outcome } from '../story.js';

register();
const client = new grpc.Client(process.argv[2] ?? '', grpc.credentials.createInsecure());
const asIs = (bytes: Buffer) => bytes;

function call(headers: Readonly<Record<string, string>>): Promise<string> {
  const metadata = new grpc.Metadata({ waitForReady: true });
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const options = { deadline: Date.now() + 15_000 };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(sayPath, asIs, asIs, Buffer.from('hello'), metadata, options, (error, reply) => (error ? reject(error) : resolve(String(reply))));
  });
}

async function run({ count, headers }: Order): Promise<Outcome> {
  const answers: Record<string, number> = {};
  const errors: string[] = [];
  for (let made = 0; made < count; made++) {
    await call(headers).then(
      (answer) => {
        answers[answer] = (answers[answer] ?? 0) + 1;
      },
      (error: unknown) => errors.push(String(error)),
    );
  }
  return { answers, errors };
}

for await (const line of createInterface(process.stdin)) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
}
process.exit();
