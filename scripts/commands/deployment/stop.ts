// troupe stop: ends a job's processes and keeps its sessions.
import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand } from "../../terminal/command.ts";
import { troupe } from "../../terminal/hint.ts";
import { noteIfSlow } from "../../terminal/io.ts";
import { troupeHome } from "../../project/project.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

export default defineCommand({
  name: "stop",
  summary: "Stop a job; its sessions are kept",
  usage: "<job>",
  positionals: [0, 1],
  options: { all: { type: "boolean", description: "Stop every job" } },
  examples: ["troupe stop research-assistant", "troupe stop --all"],

  async run({ positionals: [name], options, io }) {
    if ((name === undefined) === (options.all !== true)) {
      throw new CliError("bad_input", "Name one job, or use --all.", `Run: ${troupe`list`}`);
    }
    const { requireDeployed } = await import("../../jobs/deployed-job.ts");
    const { deployedJobs } = await import("../../targets/local/state/state.ts");
    const jobs = name === undefined ? await deployedJobs(troupeHome()) : [await requireDeployed(name)];
    const target = await deployedTarget();
    let failures = 0;
    for (const job of jobs) {
      try {
        const ran = await noteIfSlow(io, `Stopping ${job}`, async () => target.stop(job, io));
        io.print(ran ? `${job} is stopped. Start it again: ${troupe`restart ${job}`}` : `${job} was not running.`);
      } catch (error) {
        // Stops the other jobs too.
        if (io.signal.aborted || jobs.length === 1) throw error;
        io.note(manyLines(`${job} is not stopped: ${reasonOf(error)}`));
        failures++;
      }
    }
    if (failures > 0) throw new CliError("failed", `${failures} of ${jobs.length} jobs are not stopped.`);
  },
});
