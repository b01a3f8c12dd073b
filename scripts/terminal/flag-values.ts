// Values of flags that several commands take.
import { durationMs } from "#shared/text/duration.ts";

import { CliError } from "./cli-error.ts";

const DAY_MS = 86_400_000;
/** A timer takes at most 2^31 ms. */
export const LONGEST_WAIT_MS = 24 * DAY_MS;
/** A century: dates stay valid. */
const LONGEST_MS = 36_500 * DAY_MS;

/** A duration in milliseconds. Throws CliError for other text, and outside of the limits. */
export function timeOf(text: string, flag: string, { least = 0, most = LONGEST_MS } = {}): number {
  const ms = durationMs(text);
  if (ms === undefined) {
    throw new CliError("bad_input", `${flag} takes a number and a unit, such as 2s, 90m or 7d, not "${text}".`);
  }
  if (ms < least) throw new CliError("bad_input", `${flag} takes a time above zero, not "${text}".`);
  if (ms > most) throw new CliError("bad_input", `${flag} takes ${Math.floor(most / DAY_MS)}d at most, not "${text}".`);
  return ms;
}

/** A whole number within the limits. Throws CliError otherwise. */
export function wholeNumber(text: string, flag: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new CliError("bad_input", `${flag} takes a whole number from ${least} to ${most}, not "${text}".`);
}
