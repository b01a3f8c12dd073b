// troupe list: the job files there are, and what is deployed.
import { defineCommand, JSON_OPTION } from "../command.ts";
import { printJson, table } from "../io.ts";
import { shown, troupeHome } from "../project.ts";
import { localTarget } from "../targets/target.ts";

interface Row {
  readonly job: string;
  readonly state: string;
  readonly file: string | null;
  readonly pid: number | null;
  readonly agents: number | null;
}

export default defineCommand({
  name: "list",
  summary: "List jobs, deployed or not",
  usage: "",
  positionals: [0, 0],
  options: { json: JSON_OPTION },

  async run({ options, io }) {
    const { jobFiles } = await import("../job-files.ts");
    const { deployedJobs, readJobState } = await import("../targets/local/state.ts");
    const home = troupeHome();
    const target = await localTarget();
    const deployed = await Promise.all(
      (await deployedJobs(home)).map(async (job): Promise<Row> => {
        const [state, status] = [await readJobState(home, job), await target.status(job)];
        return {
          job,
          state: status?.state ?? "dead",
          file: state === undefined ? null : shown(state.file),
          pid: status?.pid ?? null,
          agents: status?.agents.length ?? null,
        };
      }),
    );
    const files = [...(await jobFiles())].map(([job, path]) => ({ job, file: shown(path) }));
    const others = files
      .filter(({ file }) => !deployed.some((row) => row.file === file))
      .map(({ job, file }): Row => ({ job, state: "not deployed", file, pid: null, agents: null }));
    const jobs = [...deployed, ...others];
    if (options.json === true) return printJson(io, { jobs });
    const rows = jobs.map((row) => [row.job, row.state, row.pid === null ? "" : `pid ${row.pid}`, row.file ?? ""]);
    io.print(table([["JOB", "STATE", "PID", "FILE"], ...rows]));
  },
});
