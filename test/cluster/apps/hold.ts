/** An application with one long connection, such as one to a message queue. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { toldToEnd } from './ending.js';

/** Connects to `host:port`, says a number every 200 ms, and writes how many were answered, and on which connection (of those that were answered at all): `1 5` for the fifth on the first. */
export async function holdConnection(address: string): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  let connections = 0;
  const begin = () => {
    const socket = connect(Number(port), host);
    let answered = 0;
    createInterface({ input: socket })
      .on('line', () => {
        if (answered === 0) connections++;
        process.stdout.write(`${connections} ${++answered}\n`);
      })
      .on('error', () => undefined);
    const timer = setInterval(() => socket.write(`${answered}\n`), 200);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearInterval(timer);
      setTimeout(begin, 500);
    });
  };
  begin();
  await toldToEnd();
  process.exit(0);
}
