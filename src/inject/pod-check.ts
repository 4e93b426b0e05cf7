/** Reads a plain value as a Pod: checks the fields that injection looks at, and names the first that is not as it should be. */
import { isFields, type Pod } from './pod.js';

/** What is wrong with a value: `spec.containers[0].name must be text`. */
type Complaint = string | undefined;

/** Checks what stands at a path. */
type Check = (value: unknown, path: string) => Complaint;

/** The value as a Pod (or the template of one), or a sentence that names the field that is wrong. */
export function readPod(value: unknown): Pod | string {
  const complaint = pod(value, '');
  if (complaint !== undefined) return complaint;
  return isPod(value) ? value : 'is no Pod';
}

function isPod(value: unknown): value is Pod {
  return pod(value, '') === undefined;
}

const text: Check = (value, path) => (typeof value === 'string' ? undefined : `${path} must be text`);
const whole: Check = (value, path) => (Number.isInteger(value) ? undefined : `${path} must be a whole number`);
const flag: Check = (value, path) => (typeof value === 'boolean' ? undefined : `${path} must be true or false`);

/** A map with these fields and any others; those in `optional` may be left out or null. */
function map(required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check {
  return (value, path) => {
    if (!isFields(value)) return `${path || 'the Pod'} must be a map`;
    const at = (field: string) => (path ? `${path}.${field}` : field);
    const missing = Object.entries(required).map(([field, check]) => check(value[field], at(field)));
    const present = Object.entries(optional).map(([field, check]) => (value[field] === undefined ? undefined : check(value[field], at(field))));
    return [...missing, ...present].find((complaint) => complaint !== undefined);
  };
}

function list(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path} must be a list`;
    return value.map((item, index) => check(item, `${path}[${index}]`)).find((complaint) => complaint !== undefined);
  };
}

const texts: Check = (value, path) => {
  if (!isFields(value)) return `${path} must be a map`;
  return Object.entries(value)
    .map(([name, item]) => text(item, `${path}[${name}]`))
    .find((complaint) => complaint !== undefined);
};

const securityContext = map({}, { runAsUser: whole });
const port = map({ containerPort: whole }, { name: text, protocol: text });
const container = map({ name: text }, { securityContext, lifecycle: map({}), ports: list(port) });

const spec = map(
  { containers: list(container) },
  {
    initContainers: list(container),
    volumes: list(map({ name: text })),
    securityContext,
    hostNetwork: flag,
    serviceAccountName: text,
    dnsPolicy: text,
    terminationGracePeriodSeconds: whole,
    nodeSelector: texts,
    os: map({}),
  },
);

const pod = map({ spec }, { metadata: map({}, { name: text, generateName: text, labels: texts, annotations: texts }) });
