// troupe sessions clear: deletes all conversations that match.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { count } from "../../traces/amounts.ts";
import { jobNamed } from "../../traces/options.ts";
import { fits } from "../../sessions/gather.ts";
import { FILTERS, filterOf, gatherAll } from "./choose-sessions.ts";
import { confirm, FORCE_OPTION } from "./confirm.ts";
import { deleteChosen, TRACES_OPTION } from "./delete-chosen.ts";
import { reportDeleted } from "./report-deleted.ts";

export default defineCommand({
  name: "sessions clear",
  summary: "Delete all conversations of a job that match, for good",
  usage: "<job>",
  positionals: [0, 1],
  options: {
    ...FILTERS,
    job: { type: "string", value: "JOB", description: "Same as <job>" },
    traces: TRACES_OPTION,
    force: FORCE_OPTION,
    json: JSON_OPTION,
  },
  examples: [
    "troupe sessions clear research-assistant --older-than 30d",
    "troupe sessions clear research-assistant --state failed --force",
  ],

  async run({ positionals, options, io }) {
    const job = jobNamed(positionals[0], options.job);
    if (job === undefined) throw new CliError("bad_input", "Name the job whose conversations are to be deleted.");
    const filter = filterOf(options);
    const [gathered] = await gatherAll(job, io);
    if (gathered === undefined) throw new Error("A job that was named was asked.");
    const fitting = gathered.sessions.filter((session) => fits(session, filter));
    if (fitting.length > 0) {
      const which = fitting.length === gathered.sessions.length ? "all, " : "";
      await confirm(`Delete ${which}${count(fitting.length, "session")} of ${job} for good?`, options.force, io);
    } else if (options.json !== true) {
      io.note("No session matches: nothing was deleted.");
    }
    const deleted = await deleteChosen(fitting, gathered, options.traces, io);
    reportDeleted(deleted, gathered.unreached, options.json, io);
  },
});
