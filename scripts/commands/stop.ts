// troupe stop: ends a job's processes. Sessions stay.
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { troupe } from "../hint.ts";
import { step } from "../io.ts";
import { troupeHome } from "../project.ts";
import { localTarget } from "../targets/target.ts";

export default defineCommand({
  name: "stop",
  summary: "Stop a job; its sessions are kept",
  usage: "<job>",
  positionals: [0, 1],
  options: { all: { type: "boolean", description: "Stop every job" } },
  examples: ["troupe stop research-assistant", "troupe stop --all"],

  async run({ positionals: [name], options, io }) {
    if ((name === undefined) === (options.all !== true)) {
      throw new CliError("bad_input", "Name one job, or say --all.", `Run: ${troupe`list`}`);
    }
    const { requireDeployed } = await import("../deployed-job.ts");
    const { deployedJobs } = await import("../targets/local/state.ts");
    const jobs = name === undefined ? await deployedJobs(troupeHome()) : [await requireDeployed(name)];
    const target = await localTarget();
    for (const job of jobs) {
      const ran = await step(io, `Stopping ${job}`, async () => target.stop(job, io));
      io.print(ran ? `${job} is stopped. Start it again: ${troupe`restart ${job}`}` : `${job} was not running.`);
    }
  },
});
