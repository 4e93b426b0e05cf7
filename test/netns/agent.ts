/** The process inside a namespace: a line of JSON in for each action, a line out with its result. */
import { createInterface } from 'node:readline';
import { actions } from './actions.js';

async function act(line: string): Promise<object> {
  const { id, action, argument } = JSON.parse(line);
  try {
    return { id, result: await Reflect.get(actions, action)(argument) };
  } catch (error) {
    return { id, error: String(error) };
  }
}

createInterface(process.stdin)
  .on('line', (line) => void act(line).then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)))
  .once('close', () => process.exit());
