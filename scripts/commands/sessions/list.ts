// troupe sessions list: lists conversations, those with the newest turns first.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { wholeNumber } from "../../terminal/flag-values.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson } from "../../terminal/io.ts";
import { screenOf } from "../../terminal/screen.ts";
import { count } from "../../traces/amounts.ts";
import { jobNamed } from "../../traces/options.ts";
import { drawSessions } from "../../sessions/draw.ts";
import { firstWords } from "../../sessions/first-words.ts";
import { fits } from "../../sessions/gather.ts";
import { FILTERS, filterOf, gatherAll, unreachedError } from "./choose-sessions.ts";

const MOST = 10_000;

export default defineCommand({
  name: "sessions list",
  summary: "List conversations, those with the newest turns first",
  usage: "[job]",
  positionals: [0, 1],
  options: {
    ...FILTERS,
    limit: { type: "string", value: "N", description: `How many at most (default 20, up to ${MOST})` },
    job: { type: "string", value: "JOB", description: "Same as [job]" },
    json: JSON_OPTION,
  },
  examples: ["troupe sessions list", "troupe sessions list research-assistant --state waiting --since 1d"],

  async run({ positionals, options, io }) {
    const limit = wholeNumber(options.limit ?? "20", "--limit", 1, MOST);
    const filter = filterOf(options);
    const all = await gatherAll(jobNamed(positionals[0], options.job), io);
    const fitting = all
      .flatMap(({ sessions }) => sessions)
      .filter((session) => fits(session, filter))
      .toSorted((a, b) => b.updatedAt - a.updatedAt);
    const shown = fitting.slice(0, limit);
    const unreached = all.flatMap((gathered) => gathered.unreached);
    const ofOthers = all.reduce((sum, gathered) => sum + gathered.ofOthers, 0);
    if (options.json === true) {
      const sessions = shown.map(({ agents, ...session }) => ({
        ...session,
        updatedAt: new Date(session.updatedAt).toISOString(),
        agents: agents.map(({ agent, part: { turns, working, waiting } }) => ({
          id: agent.agent,
          turns,
          working,
          waiting,
        })),
      }));
      printJson(io, { sessions, total: fitting.length, ofOthers, unreached: unreached.map(({ agent }) => agent) });
    } else if (shown.length > 0) {
      io.print(drawSessions(shown, await firstWords(shown), screenOf(process.stdout), Date.now()).join("\n"));
      if (fitting.length > shown.length)
        io.note(`… and ${fitting.length - shown.length} more: --limit ${fitting.length}`);
    } else {
      const filtered = Object.values(filter).some((value) => value !== undefined);
      io.note(
        filtered
          ? "No session matches: leave flags out."
          : `There is no session. Begin one: ${troupe`query <job> "…"`}`,
      );
    }
    if (ofOthers > 0) io.note(`${count(ofOthers, "session")} of other accounts.`);
    const missing = unreachedError({ unreached }, "The list may not be complete.");
    if (missing) throw missing;
  },
});
