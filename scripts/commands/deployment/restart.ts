// troupe restart: starts the last release of a job again, with its sessions.
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { printJson } from "../../terminal/io.ts";
import { describeStatus } from "../../jobs/show-status.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

export default defineCommand({
  name: "restart",
  summary: "Start the deployed release of a job again, with its sessions",
  usage: "<job>",
  positionals: [1, 1],
  options: { json: JSON_OPTION },
  examples: ["troupe restart research-assistant"],

  async run({ positionals: [name = ""], options, io }) {
    const { requireDeployed } = await import("../../jobs/deployed-job.ts");
    const target = await deployedTarget();
    const { status, healthyMs } = await target.restart(await requireDeployed(name), io);
    if (options.json === true) return printJson(io, { ...status, healthyMs: Math.round(healthyMs) });
    io.print(describeStatus(status));
  },
});
