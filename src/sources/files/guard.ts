/** Holds the one watcher of a folder, and knows which folder it is that it watches: another may stand in its place by now. */
import { type FolderEvents, watchEvents } from './events.js';

/** The present watcher, if there is one. */
export interface Guard {
  /** The mark of the folder that is watched; undefined while none is. */
  readonly mark: () => string | undefined;
  /** Whether everything in it is watched. */
  readonly isReady: () => boolean;
  /** Ends the present watcher and starts one for the folder with this mark. */
  readonly start: (mark: string, events: FolderEvents) => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface Watching {
  readonly mark: string;
  readonly end: () => Promise<void>;
  isReady: boolean;
}

/** A guard that does not watch yet. */
export function createGuard(root: string, usePolling: boolean): Guard {
  let watching: Watching | undefined;
  const stop = async () => {
    const present = watching;
    watching = undefined;
    await present?.end();
  };
  const start = async (mark: string, events: FolderEvents) => {
    await stop();
    const own: Watching = {
      mark,
      isReady: false,
      end: watchEvents(root, usePolling, { ...events, ready: () => become(events.ready), error: (error) => become(() => events.error(error)) }),
    };
    // A watcher that fails may never say that it is ready; what it does see is better than nothing.
    const become = (tell: () => void) => {
      own.isReady = true;
      if (watching === own) tell();
    };
    watching = own;
  };
  return { mark: () => watching?.mark, isReady: () => watching?.isReady ?? false, start, stop };
}
