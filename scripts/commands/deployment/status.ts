// troupe status: shows the status of a job.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { printJson } from "../../terminal/io.ts";
import { describeStatus } from "../../jobs/show-status.ts";

export default defineCommand({
  name: "status",
  summary: "Show whether a job's agents are alive, and where they are",
  usage: "<job>",
  positionals: [1, 1],
  options: {
    watch: { type: "boolean", description: "Go on showing it, with the questions being answered, until q or Ctrl-C" },
    json: JSON_OPTION,
  },
  examples: ["troupe status research-assistant --json", "troupe status research-assistant --watch"],

  async run({ positionals: [job = ""], options, io }) {
    const { statusOf } = await import("../../jobs/deployed-job.ts");
    const { reachableRemotes } = await import("../../remotes/read-remotes.ts");
    const found = await statusOf(job);
    if (options.watch === true) {
      if (options.json === true) throw new CliError("bad_input", "--watch is for people: leave --json out.");
      const { watchStatus } = await import("../../query/view/watch-status.ts");
      return watchStatus(job, io);
    }
    const { waitingTasks } = await import("../../query/waiting.ts");
    const { waitingLine } = await import("../../query/view/waiting-line.ts");
    const [waiting, reachable] = await Promise.all([
      waitingTasks(found, io.signal),
      reachableRemotes(found.remotes, io.signal),
    ]);
    const remotes = found.remotes.map((remote) => ({ ...remote, reachable: reachable.get(remote.id) ?? false }));
    const status = { ...found, remotes };
    const waitingApprovals = waiting.reduce((sum, { approvals }) => sum + approvals.length, 0);
    if (options.json === true) printJson(io, { ...status, waitingApprovals });
    else io.print([describeStatus(status), ...waitingLine(status.job, waiting)].join("\n"));
  },
});
