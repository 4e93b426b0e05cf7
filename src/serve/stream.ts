/** One stream: requests in, one response at a time out, each composed only when the transport has taken the one before. */
import type { Client } from './client.js';
import type { Protocol, Received } from './protocol.js';
import type { StreamCounters } from './registry.js';
import type { Scheduler } from './scheduler.js';

/** How a stream writes: `done` is called when the message has left for the network, which is where back-pressure comes from. */
export type Write = (message: Buffer, done: () => void) => void;

/** A running stream. */
export interface Stream {
  /**
   * Takes a request; resolves when its last step is done and no response waits for the network: who does not read is not
   * listened to either, so what it asks for cannot pile up. Requests of one stream are to be given one after another.
   */
  readonly receive: (request: Received) => Promise<void>;
  /** Sends what is due, soon. */
  readonly wake: () => void;
  readonly close: () => void;
  /** Since when the transport has been waiting for the network, by `clock`; undefined while it is not. */
  readonly waitingSince: () => number | undefined;
}

/** What a stream is made of. */
export interface StreamParts {
  readonly protocol: Protocol;
  readonly client: Client;
  readonly write: Write;
  readonly scheduler: Scheduler;
  readonly counters: StreamCounters;
  readonly clock: () => number;
  /** A response could not be composed: a defect, which must end no more than this stream. */
  readonly onDefect: (error: unknown) => void;
}

/** A stream over a transport. */
export function createStream({ protocol, client, write, scheduler, counters, clock, onDefect }: StreamParts): Stream {
  let writingSince: number | undefined;
  let isReading = false;
  let isClosed = false;
  let resumeReading = () => {};

  function pump(): void {
    if (writingSince !== undefined || isReading || isClosed) return;
    try {
      const message = compose();
      if (!message) return;
      counters.responses++;
      counters.bytes += message.length;
      writingSince = clock();
      write(message, written);
    } catch (error) {
      onDefect(error);
    }
  }

  function compose(): Buffer | undefined {
    for (let batch = client.next(); batch; batch = client.next()) {
      const message = protocol.write(client, batch);
      if (message) return message;
    }
    return undefined;
  }

  function written(): void {
    writingSince = undefined;
    resumeReading();
    scheduler.add(pump);
  }

  async function receive(request: Received): Promise<void> {
    isReading = true;
    let untilPause = stepsAtOnce;
    for (const step of request.steps(client)) {
      if (untilPause-- === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        untilPause = stepsAtOnce;
      }
      if (isClosed) return;
      step();
    }
    isReading = false;
    scheduler.add(pump);
    if (writingSince !== undefined) await new Promise<void>((resolve) => (resumeReading = resolve));
  }

  return {
    receive,
    wake: () => scheduler.add(pump),
    close: () => {
      isClosed = true;
      resumeReading();
      client.close();
    },
    waitingSince: () => writingSince,
  };
}

/** An ordinary request (acknowledgement, a few names, wildcard) is done at once; a huge one gives way to others in between. */
const stepsAtOnce = 4;
