// troupe sessions delete: deletes one conversation for good, at every agent.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { count } from "../../traces/amounts.ts";
import { chooseSession, JOB_OPTION } from "./choose-sessions.ts";
import { confirm, FORCE_OPTION } from "./confirm.ts";
import { deleteChosen, TRACES_OPTION } from "./delete-chosen.ts";
import { reportDeleted } from "./report-deleted.ts";

export default defineCommand({
  name: "sessions delete",
  summary: "Delete a conversation for good, at every agent that it reached",
  usage: "<session>",
  positionals: [1, 1],
  options: { job: JOB_OPTION, traces: TRACES_OPTION, force: FORCE_OPTION, json: JSON_OPTION },
  examples: ["troupe sessions delete 1a2b3c4d", "troupe sessions delete 1a2b3c4d --force"],

  async run({ positionals: [wanted = ""], options, io }) {
    const { session, gathered } = await chooseSession(wanted, options.job, io);
    const names = session.agents.map(({ agent }) => agent.agent).join(", ");
    const what = `the session ${oneLine(session.id)} of ${session.job} (${count(session.turns, "turn")})`;
    await confirm(`Delete ${what} for good, at ${names}?`, options.force, io);
    const deleted = await deleteChosen([session], gathered, options.traces, io);
    reportDeleted(deleted, gathered.unreached, options.json, io);
  },
});
