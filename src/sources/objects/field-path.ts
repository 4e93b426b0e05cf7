/** Field paths as diagnostics write them: `spec.ports[0].port`, `metadata.labels["app.kubernetes.io/name"]`. */

/** The path of the steps from the object to the field; a number, or digits, is an index. */
export function fieldPath(steps: readonly (string | number)[]): string {
  return steps.map(formatStep).join('').replace(/^\./, '');
}

function formatStep(step: string | number): string {
  if (/^[0-9]+$/.test(`${step}`)) return `[${step}]`;
  return /^[A-Za-z0-9_-]+$/.test(`${step}`) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

const stepPattern = /\.?([^.[\]]+)|\[("(?:[^"\\]|\\.)*")\]|\[([^\]]*)\]/gy;

/** The steps of a path. What stands in brackets is an index, a quoted key, or the name of an element: `spec.rules[beta].filters`. */
export function fieldSteps(path: string): readonly string[] {
  const steps: string[] = [];
  for (const [, plain, quoted, bracketed] of path.matchAll(stepPattern)) steps.push(plain ?? bracketed ?? unquote(quoted ?? ''));
  return steps;
}

function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/g, '$1');
}
