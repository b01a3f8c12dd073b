// troupe list: lists job files and deployed jobs.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { type Io, printJson, table } from "../../terminal/io.ts";
import { shown, troupeHome } from "../../project/project.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { deployedTarget } from "../../targets/choose-target.ts";

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
    const { jobFiles } = await import("../../jobs/job-files.ts");
    const { deployedJobs } = await import("../../targets/local/state/state.ts");
    const home = troupeHome();
    const deployed = await Promise.all((await deployedJobs(home)).map(async (job) => rowOf(home, job, io)));
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

/** The row of a deployed job. A job that cannot be read gets a row and a note, so that it hides no other. */
async function rowOf(home: string, job: string, io: Io): Promise<Row> {
  const { readJobState } = await import("../../targets/local/state/state.ts");
  try {
    const state = await readJobState(home, job);
    const status = await (await deployedTarget()).status(job);
    return {
      job,
      state: status?.state ?? "dead",
      file: state === undefined ? null : shown(state.file),
      pid: status?.pid ?? null,
      agents: status?.agents.length ?? null,
    };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    io.note(manyLines(`${job}: ${error.message}\n${error.next}`));
    return { job, state: "damaged", file: null, pid: null, agents: null };
  }
}
