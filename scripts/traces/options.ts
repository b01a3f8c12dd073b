// Values of flags that several commands on traces take.
import { durationMs } from "#shared/text/duration.ts";
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "../cli-error.ts";

/** The moment that lies so long ago. Throws CliError. */
export function agoOf(text: string, flag: string): Date {
  return new Date(Date.now() - timeOf(text, flag));
}

/** Milliseconds. Throws CliError. */
export function timeOf(text: string, flag: string): number {
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  throw new CliError("bad_input", `${flag} takes a number and a unit, such as 2s, 90m or 7d, not "${text}".`);
}

/** One of `values`. Throws CliError with the nearest. */
export function oneOf(text: string, flag: string, values: readonly string[]): string {
  if (values.includes(text)) return text;
  throw new CliError("bad_input", `${flag} does not know "${text}". ${suggest(text, values)}`);
}
