// `${VAR}` in the values of environment and env: finding the names, and putting the values in.

/** No name is longer; without a limit, braces that nobody closes would be searched to the end again and again. */
const REFERENCE = /\$\{([^}]{0,500})\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface References {
  /** Names in the order of their first use. */
  readonly names: readonly string[];
  /** What stands between the braces and is no name. */
  readonly malformed: readonly string[];
}

/** Which variables a value refers to. */
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
