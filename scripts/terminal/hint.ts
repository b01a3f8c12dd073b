// Commands to type, as messages show them: they run in the reader's folder, and every value in them is one shell word.
import { basename, delimiter, dirname, relative } from "node:path";

import { PROJECT } from "../project/project.ts";

/** How this program was started. */
interface Start {
  readonly script: string;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** `` troupe`query ${job} "…"` `` as a user types it here. Values are quoted where a shell would split or change them. */
export function troupe(texts: TemplateStringsArray, ...values: readonly string[]): string {
  return `${prefix()} ${String.raw({ raw: texts }, ...values.map(word))}`;
}

/** The words that start `troupe` here: `troupe`, `npx troupe` or a path. */
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

/** What terminals obey, and what turns the direction of writing. */
const OBEYED = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** Text as one shell word, quoted where needed. Control characters of a foreign id are written out, as bash and zsh read them. */
export function word(text: string): string {
  if (/^[\w./:-][\w.~/:-]*$/.test(text)) return text;
  if (!OBEYED.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const characters = Array.from(text.toWellFormed(), (character) => {
    if (OBEYED.test(character)) return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
    return character === "'" || character === "\\" ? `\\${character}` : character;
  });
  return `$'${characters.join("")}'`;
}
