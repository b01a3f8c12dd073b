// troupe rollback: returns to a release that ran before.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { printJson } from "../../terminal/io.ts";
import { describeStatus } from "../../jobs/show-status.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

export default defineCommand({
  name: "rollback",
  summary: "Return to the release of a job that ran before, with its sessions",
  usage: "<job>",
  positionals: [1, 1],
  options: {
    to: { type: "string", value: "N", description: "This release, of those that troupe history lists" },
    "restore-data": {
      type: "boolean",
      description: "Where the release cannot read today's data: put its own back; what came later is lost",
    },
    json: JSON_OPTION,
  },
  examples: ["troupe rollback research-assistant", "troupe rollback research-assistant --to 3"],

  async run({ positionals: [name = ""], options, io }) {
    const { requireDeployed } = await import("../../jobs/deployed-job.ts");
    const job = await requireDeployed(name);
    const target = await deployedTarget();
    const request = { job, to: releaseNumber(options.to), restoreData: options["restore-data"] === true };
    const { status, healthyMs } = await target.rollback(request, io);
    if (options.json === true) return printJson(io, { ...status, healthyMs: Math.round(healthyMs) });
    io.print(describeStatus(status));
    io.note(`Healthy after ${(healthyMs / 1000).toFixed(2)} s.`);
  },
});

function releaseNumber(text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new CliError("bad_input", `--to cannot be "${text}".`, "Type the number of a release, such as 3.");
}
