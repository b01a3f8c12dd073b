// Commands that are shown to be typed: they run where they are read, and with what they name as one argument.
import { basename, delimiter, dirname, relative } from "node:path";

import { PROJECT } from "../project/project.ts";

/** How this program was started. */
interface Start {
  readonly script: string;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** `` troupe`query ${job} "…"` `` as it is to be typed here. What is filled in is quoted where a shell would take it apart. */
export function troupe(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return `${prefix()} ${String.raw({ raw: texts }, ...values.map(word))}`;
}

/** What stands for `troupe` on this command line. */
export function prefix(
  { script, folder, environment }: Start = {
    script: process.argv[1] ?? "",
    folder: process.cwd(),
    environment: process.env,
  },
): string {
  const isInProject = !relative(PROJECT, folder).startsWith("..");
  const byNpm = environment["npm_command"] !== undefined || basename(dirname(script)) === ".bin";
  if (!byNpm && basename(script) === "troupe") {
    const path = (environment["PATH"] ?? "").split(delimiter);
    return path.includes(dirname(script)) ? "troupe" : word(script);
  }
  // Outside the project npx would look for a package of this name on the internet.
  return isInProject ? "npx troupe" : `node ${word(`${PROJECT}/scripts/troupe.mjs`)}`;
}

/** As one word of a shell. */
export function word(text: string): string {
  return /^[\w./:-][\w.~/:-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
