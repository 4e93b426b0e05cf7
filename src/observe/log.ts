/** The log of the process: one JSON object a line on standard error, or plain lines where a person reads along. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** A logger that writes what is at least as important as `level`; in plain words when `isForPeople`. */
export function createLogger(level: string, isForPeople: boolean): Logger {
  const json = pino.destination({ fd: 2, sync: true });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, isForPeople ? plain(json) : json);
}

function plain(to: DestinationStream): DestinationStream {
  return { write: (line) => to.write(formatLine(line)) };
}

/** `12:46:59 ERROR what happened  field=value ...`, from a line of JSON. */
export function formatLine(line: string): string {
  const { level, time, msg, ...fields }: Readonly<Record<string, unknown>> = JSON.parse(line);
  const label = typeof level === 'number' ? (pino.levels.labels[level] ?? '').toUpperCase() : '';
  const details = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${String(time).slice(11, 19)} ${label.padEnd(5)} ${[msg, ...details].join('  ')}\n`;
}
