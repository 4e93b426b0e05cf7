/** What is counted as it happens, in either process: the names under which dashboards and alerts find it. */
import type { Metrics } from './metrics.js';

/** The instruments; each takes words of a small set. */
export interface Instruments {
  /** A call or stream was refused, or a stream ended by Weft; `code` is that of gRPC: `UNAUTHENTICATED`. */
  readonly streamRefused: (code: string) => void;
  /** A caller's token was checked: `good`, or the code of the refusal. */
  readonly tokenChecked: (verdict: string) => void;
  /** A webhook was called: its path, `allowed`, `denied` or `failed`, and how long it took in seconds. */
  readonly webhookCalled: (path: string, outcome: 'allowed' | 'denied' | 'failed', seconds: number) => void;
  /** A request to the API server, an Event or a status has failed: which of Weft's tasks it was for. */
  readonly taskFailed: (task: string) => void;
}

/** The instruments on these metrics. */
export function createInstruments({ counter, durations }: Metrics): Instruments {
  const refused = counter({
    name: 'weft_streams_refused_total',
    help: 'Calls and streams refused, and streams ended by Weft, by gRPC code.',
    labels: ['code'],
  });
  const tokens = counter({ name: 'weft_token_checks_total', help: 'Tokens of callers checked, by verdict.', labels: ['verdict'] });
  const webhook = durations({ name: 'weft_webhook_duration_seconds', help: 'Webhook calls and how long they took, by outcome.', labels: ['path', 'outcome'] });
  const failed = counter({ name: 'weft_task_failures_total', help: 'Failures of background tasks, which are tried again.', labels: ['task'] });
  return {
    streamRefused: (code) => refused({ code }),
    tokenChecked: (verdict) => tokens({ verdict }),
    webhookCalled: (path, outcome, seconds) => webhook({ path, outcome }, seconds),
    taskFailed: (task) => failed({ task }),
  };
}
