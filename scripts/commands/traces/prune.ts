// troupe traces prune: deletes traces before they expire.
import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { troupe } from "../../terminal/hint.ts";
import { printJson } from "../../terminal/io.ts";
import { deployedTarget } from "../../targets/choose-target.ts";
import { count } from "../../traces/amounts.ts";
import { chooseJobs } from "./choose-jobs.ts";
import { agoOf, jobNamed } from "../../traces/options.ts";

export default defineCommand({
  name: "traces prune",
  summary: "Delete traces, of all jobs when none is named",
  usage: "[job]",
  positionals: [0, 1],
  options: {
    "older-than": {
      type: "string",
      value: "TIME",
      description: "Traces that began at least this long ago, such as 7d",
    },
    all: { type: "boolean", description: "All traces" },
    job: { type: "string", value: "JOB", description: "Same as [job]" },
    json: JSON_OPTION,
  },
  examples: ["troupe traces prune --older-than 7d", "troupe traces prune research-assistant --all"],

  async run({ positionals, options, io }) {
    const named = jobNamed(positionals[0], options.job);
    const age = options["older-than"];
    if ((age === undefined) === (options.all !== true)) {
      throw new CliError("bad_input", "Choose --older-than TIME or --all.", `Run: ${troupe`traces prune --help`}`);
    }
    const before = age === undefined ? new Date() : agoOf(age, "--older-than");
    const outcomes = await (
      await deployedTarget()
    ).withTraces(await chooseJobs(named), io, async (stores) =>
      Promise.allSettled(stores.map(async (store) => ({ job: store.job, deleted: await store.prune(before) }))),
    );
    const deleted = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    if (options.json === true) printJson(io, { deleted });
    else for (const { job, deleted: number } of deleted) io.print(`${job}: ${count(number, "trace")} deleted.`);
    // The other jobs are reported first.
    if (failures.length > 0) throw failures[0];
  },
});
