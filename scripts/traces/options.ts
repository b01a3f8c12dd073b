// Values of flags that several commands on traces take.
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "../cli-error.ts";
import { timeOf } from "../flag-values.ts";

/** The moment that lies so long ago. Throws CliError. */
export function agoOf(text: string, flag: string): Date {
  return new Date(Date.now() - timeOf(text, flag));
}

/** One of `values`. Throws CliError with the nearest. */
export function oneOf(text: string, flag: string, values: readonly string[]): string {
  if (values.includes(text)) return text;
  throw new CliError("bad_input", `${flag} does not know "${text}". ${suggest(text, values)}`);
}
