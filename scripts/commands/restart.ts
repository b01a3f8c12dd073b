// troupe restart: starts again what was deployed last, with its sessions.
import { defineCommand, JSON_OPTION } from "../command.ts";
import { printJson } from "../io.ts";
import { describeStatus } from "../show-status.ts";
import { localTarget } from "../targets/choose-target.ts";

export default defineCommand({
  name: "restart",
  summary: "Start a job again as it was deployed, with its sessions",
  usage: "<job>",
  positionals: [1, 1],
  options: { json: JSON_OPTION },
  examples: ["troupe restart research-assistant"],

  async run({ positionals: [name = ""], options, io }) {
    const { requireDeployed } = await import("../deployed-job.ts");
    const target = await localTarget();
    const { status, healthyMs } = await target.restart(await requireDeployed(name), io);
    if (options.json === true) return printJson(io, { ...status, healthyMs: Math.round(healthyMs) });
    io.print(describeStatus(status));
  },
});
