/**
 * Rules over several fields that the API server runs, in CEL. Our own validator does not read them: the `check` beside the
 * schema must refuse whatever they refuse, which a test against a real API server sees to.
 */

/** A rule; where it is false the object is refused with the message. */
export interface CelRule {
  /**
   * A CEL expression over `self`, the object or list that the rule is attached to. The API server fills in defaults first, so
   * a field with a default is always there.
   */
  readonly rule: string;
  /** The field that is wrong, relative to `self`; left out where it is `self`. The message is told under it. */
  readonly field?: string;
  /** What is wrong with the field: a sentence without a full stop. */
  readonly message: string;
  /** What to do about it: a sentence without a full stop. */
  readonly remedy: string;
}

/** The keyword under which the schema of an object or a list holds its {@link CelRule}s. */
export const celRules = 'x-weft-rules';

/** Schema options that attach rules. */
export function cel(rules: readonly CelRule[]): Readonly<Record<string, unknown>> {
  return rules.length > 0 ? { [celRules]: rules } : {};
}

/** That a field is there exactly where `type` has a value, as in every object of the API that is one of several kinds. */
export function goesWith(field: string, type: string): readonly CelRule[] {
  return [
    { rule: `self.type != '${type}' || has(self.${field})`, field, message: 'is missing', remedy: `set ${field}, which type ${type} needs` },
    {
      rule: `self.type == '${type}' || !has(self.${field})`,
      field,
      message: `goes with type ${type} only`,
      remedy: `set type: ${type}, or remove ${field}`,
    },
  ];
}

/** An entry of `x-kubernetes-validations`. */
export interface Validation {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** The rule as the API server takes it. */
export function toValidation({ rule, field, message, remedy }: CelRule): Validation {
  return { rule, message: `${message}; ${remedy}`, ...(field === undefined ? {} : { fieldPath: `.${field}` }) };
}
