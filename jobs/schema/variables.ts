// `${VAR}` in the values of environment and env: finds the names, and replaces them.

/** The limit keeps unclosed braces from being searched to the end of the text again and again. */
const REFERENCE = /\$\{([^}]{0,500})\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface References {
  /** Names in the order of their first use. */
  readonly names: readonly string[];
  /** Text between braces that is not a name. */
  readonly malformed: readonly string[];
}

export function referencesIn(value: string): References {
  const inner = [...value.matchAll(REFERENCE)].map((match) => match[1] ?? "");
  return {
    names: [...new Set(inner.filter((name) => NAME.test(name)))],
    malformed: inner.filter((name) => !NAME.test(name)),
  };
}

/** The value with every `${VAR}` replaced. Throws RangeError for a variable that is not set. */
export function substitute(value: string, variables: Readonly<Record<string, string | undefined>>): string {
  return value.replace(REFERENCE, (_, name: string) => {
    const found = variables[name];
    if (found === undefined) throw new RangeError(`The variable ${name} is not set`);
    return found;
  });
}
