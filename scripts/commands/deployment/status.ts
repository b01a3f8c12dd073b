// troupe status: shows the status of a job.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { printJson } from "../../terminal/io.ts";
import { describeStatus } from "../../jobs/show-status.ts";

export default defineCommand({
  name: "status",
  summary: "Show whether a job's agents are alive, and where they are",
  usage: "<job>",
  positionals: [1, 1],
  options: { json: JSON_OPTION },
  examples: ["troupe status research-assistant --json"],

  async run({ positionals: [job = ""], options, io }) {
    const { statusOf } = await import("../../jobs/deployed-job.ts");
    const status = await statusOf(job);
    if (options.json === true) printJson(io, status);
    else io.print(describeStatus(status));
  },
});
