// Secrets as a `.dev.vars` file, which wrangler reads as dotenv does. Pure.
import { CliError } from "../terminal/cli-error.ts";

/** Between these dotenv takes a value as it is. Double quotes are not among them: there it reads \n as a new line. */
const QUOTES = ["'", "`"];

/** Throws CliError for a value that dotenv cannot hold. */
export function devVars(secrets: Readonly<Record<string, string>>): string {
  return Object.entries(secrets)
    .map(([name, value]) => `${name}=${quoted(name, value)}\n`)
    .join("");
}

function quoted(name: string, value: string): string {
  const quote = QUOTES.find((sign) => !value.includes(sign));
  // dotenv drops a carriage return, and takes a quote after a backslash for a part of the value.
  if (quote !== undefined && !value.includes("\r") && !value.endsWith("\\")) return quote + value + quote;
  throw new CliError(
    "bad_input",
    `The secret ${name} cannot stand in .dev.vars, where wrangler dev reads it.`,
    "A value there has no carriage return, no backslash at its end, and not both ' and `.",
  );
}
