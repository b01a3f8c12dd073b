// Says what was deleted, and what is left because an agent could not be reached.
import { CliError } from "../../terminal/cli-error.ts";
import { type Io, printJson } from "../../terminal/io.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { count } from "../../traces/amounts.ts";
import type { Deleted } from "../../sessions/delete.ts";
import type { Unreached } from "../../sessions/operator.ts";

/** `unreached`: agents that may know more sessions. Throws CliError where anything may be left. */
export function reportDeleted(
  deleted: readonly Deleted[],
  unreached: readonly Unreached[],
  json: boolean | undefined,
  io: Io,
): void {
  if (json === true) {
    const list = deleted.map(({ session, turns, left }) => ({ session, turns, left: left.map(({ agent }) => agent) }));
    printJson(io, { deleted: list, unreached: unreached.map(({ agent }) => agent) });
  } else {
    for (const { session, turns, agents, left } of deleted)
      if (left.length === 0)
        io.print(`Deleted ${oneLine(session)}: ${count(turns, "turn")} of ${count(agents, "agent")}.`);
  }
  const left = new Map([...unreached, ...deleted.flatMap((each) => each.left)].map((each) => [each.agent, each]));
  if (left.size === 0) return;
  const why = [...left.values()].map(({ message }) => message).join(" ");
  throw new CliError(
    "failed",
    `Not everything is deleted. ${why}`,
    `When ${[...left.keys()].join(", ")} can be reached, run the command again: it deletes the rest.`,
  );
}
