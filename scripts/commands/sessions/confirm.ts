// Asks before something is deleted for good.
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { withPrompt } from "../../query/ask-for-decisions.ts";

export const FORCE_OPTION = { type: "boolean", description: "Do not ask first" } as const;

/** Resolves where the person says yes. Throws CliError for anything else, and where nobody can be asked. */
export async function confirm(question: string, force: boolean | undefined, io: Io): Promise<void> {
  if (force === true) return;
  if (!io.interactive) {
    throw new CliError(
      "bad_input",
      `${question} Nobody can be asked here, so nothing is deleted.`,
      "Add --force to do it unasked.",
    );
  }
  const typed = await withPrompt(io, async (prompt) => prompt(`${question} [y/n] `, io.signal));
  if (typed !== undefined && ["y", "yes"].includes(typed.normalize("NFKC").trim().toLowerCase())) return;
  throw new CliError("interrupted", "Nothing was deleted.");
}
