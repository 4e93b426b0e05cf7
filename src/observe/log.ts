/** The log of the process: one JSON object a line on standard error. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** A logger that writes what is at least as important as `level`. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination ?? pino.destination({ fd: 2, sync: true }));
}
