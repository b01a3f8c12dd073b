// troupe history: the releases of a job to which it may return.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { printJson } from "../../terminal/io.ts";

export default defineCommand({
  name: "history",
  summary: "List the releases of a job, the newest first",
  usage: "<job>",
  positionals: [1, 1],
  options: { json: JSON_OPTION },
  examples: ["troupe history research-assistant"],

  async run({ positionals: [name = ""], options, io }) {
    const { requireDeployed } = await import("../../jobs/deployed-job.ts");
    const { describeHistory, readHistory } = await import("../../jobs/history.ts");
    const job = await requireDeployed(name);
    const history = await readHistory(job);
    if (options.json === true) return printJson(io, history);
    io.print(describeHistory(job, history, new Date()));
  },
});
