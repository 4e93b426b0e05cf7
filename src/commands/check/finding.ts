/** What `weft check` finds. */
import { type KubeClient, KubeError } from '../../kubernetes/api.js';
import { formatTable } from '../table.js';

/** How one thing stands. */
export interface Finding {
  /** What was looked at: `webhook weft-injector`. */
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failed';
  /** What was seen, one line. */
  readonly message: string;
  /** What to do about it; everything that is not ok has one. */
  readonly remedy?: string | undefined;
}

/** What every check is given. */
export interface CheckContext {
  readonly client: KubeClient;
  /** Where Weft runs, or is to run. */
  readonly namespace: string;
  /** Milliseconds since 1970, of the machine that checks. */
  readonly now: () => number;
}

/** Looks at one thing. What it throws becomes a finding. */
export interface Check {
  readonly name: string;
  readonly run: (context: CheckContext) => Promise<readonly Finding[]>;
}

export function ok(check: string, message: string): Finding {
  return { check, result: 'ok', message };
}

export function warning(check: string, message: string, remedy: string): Finding {
  return { check, result: 'warning', message, remedy };
}

export function failed(check: string, message: string, remedy: string): Finding {
  return { check, result: 'failed', message, remedy };
}

/** Runs the checks one after the other, in their order. */
export async function runChecks(checks: readonly Check[], context: CheckContext): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { name, run } of checks) findings.push(...(await run(context).catch((error: unknown) => [ofError(name, error)])));
  return findings;
}

function ofError(check: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof KubeError && error.status === 403)
    return warning(check, `could not be looked at: ${message}`, 'run weft check as somebody who may read this, such as an administrator of the cluster');
  if (error instanceof KubeError) return failed(check, `the API server answers: ${message}`, 'see the message');
  return failed(check, message, 'see that the API server can be reached from here, and that --kubeconfig and --context name the right one');
}

/** A line for each finding, and its remedy below. */
export function formatFindings(findings: readonly Finding[]): string {
  const table = formatTable(
    ['check', 'result', 'message'],
    findings.map(({ check, result, message }) => [check, result, message]),
  );
  const remedies = findings.flatMap(({ check, remedy }) => (remedy ? [`${check}: ${remedy}\n`] : []));
  return remedies.length > 0 ? `${table}\nWhat to do\n\n${remedies.join('')}` : table;
}
