/** Metrics in Prometheus' text format. This file alone knows prom-client; what is measured is told to it as data. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** One value of a metric. */
export interface Sample {
  /** A value for each of the metric's labels; from a small set, never the name of a pod or a policy. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric that is read when somebody asks. */
export interface Family {
  /** `weft_connected_proxies`; that of a counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  /** A counter only grows as long as the process lives. */
  readonly type: 'gauge' | 'counter';
  readonly labels?: readonly string[];
  readonly read: () => readonly Sample[];
}

/** Name, help and labels of a metric that is written as things happen. */
export interface Instrument {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** The metrics of this process; those of Node and of the process itself are among them. */
export interface Metrics {
  readonly add: (families: readonly Family[]) => void;
  /** A counter: each call adds one. */
  readonly counter: (instrument: Instrument) => (labels?: Readonly<Record<string, string>>) => void;
  /** A histogram of durations in seconds, from a millisecond to ten seconds. */
  readonly durations: (instrument: Instrument) => (labels: Readonly<Record<string, string>>, seconds: number) => void;
  readonly contentType: string;
  /** All metrics as text. */
  readonly text: () => Promise<string>;
}

/** A metric has no more time series than this: what comes after is `other`, or left out. */
const maxSeries = 100;
const maxLabelLength = 128;
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The metrics of the process so far: only Node's own. */
export function createMetrics(): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return {
    add: (families) => {
      for (const family of families) addFamily(register, family);
    },
    counter: ({ name, help, labels = [] }) => {
      const counter = new Counter({ name, help, labelNames: [...labels], registers: [register] });
      const bound = createBound(labels);
      return (values = {}) => counter.inc(bound(values));
    },
    durations: ({ name, help, labels = [] }) => {
      const histogram = new Histogram({ name, help, labelNames: [...labels], buckets, registers: [register] });
      const bound = createBound(labels);
      return (values, seconds) => histogram.observe(bound(values), seconds);
    },
    contentType: register.contentType,
    text: () => register.metrics(),
  };
}

function addFamily(register: Registry, { name, help, type, labels = [], read }: Family): void {
  const common = { name, help, labelNames: [...labels], registers: [register] };
  const samples = () => read().slice(0, maxSeries);
  if (type === 'gauge') {
    new Gauge({
      ...common,
      collect() {
        this.reset();
        for (const { labels: values = {}, value } of samples()) this.set(shorten(values), value);
      },
    });
    return;
  }
  new Counter({
    ...common,
    collect() {
      this.reset();
      for (const { labels: values = {}, value } of samples()) this.inc(shorten(values), value);
    },
  });
}

/** Whoever calls may choose some labels: their number has to have an end. */
function createBound(names: readonly string[]): (values: Readonly<Record<string, string>>) => Record<string, string> {
  const seen = new Set<string>();
  return (values) => {
    const short = shorten(values);
    const id = JSON.stringify(names.map((name) => short[name]));
    if (!seen.has(id) && seen.size >= maxSeries) return Object.fromEntries(names.map((name) => [name, 'other']));
    seen.add(id);
    return short;
  };
}

function shorten(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.slice(0, maxLabelLength)]));
}
