// Values of flags that several commands on traces take.
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "../terminal/cli-error.ts";
import { timeOf } from "../terminal/flag-values.ts";

/** The moment before now by a duration. Throws CliError. */
export function agoOf(text: string, flag: string): Date {
  return new Date(Date.now() - timeOf(text, flag));
}

/** One of `values`. Throws CliError, which suggests the nearest. */
export function oneOf(text: string, flag: string, values: readonly string[]): string {
  if (values.includes(text)) return text;
  throw new CliError("bad_input", `${flag} does not know "${text}". ${suggest(text, values)}`);
}

/** A job named as an argument or by --job, as in commands on one trace. Throws CliError where both name different jobs. */
export function jobNamed(argument: string | undefined, flag: string | undefined): string | undefined {
  if (argument === undefined || flag === undefined || argument === flag) return argument ?? flag;
  throw new CliError("bad_input", `"${argument}" and --job ${flag}: name one job.`);
}
