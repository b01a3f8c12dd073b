// troupe plan: shows what a deployment would do, without doing it.
import { mistakesError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { PLACEMENT_OPTIONS } from "../../jobs/placement-options.ts";
import { printJson, noteIfSlow } from "../../terminal/io.ts";
import { troupeHome } from "../../project/project.ts";

export default defineCommand({
  name: "plan",
  summary: "Show what a deployment would make: places, Workers, bindings, ports, secrets, order",
  usage: "<job>",
  positionals: [1, 1],
  options: { ...PLACEMENT_OPTIONS, json: JSON_OPTION },
  examples: ["troupe plan research-assistant", "troupe plan research-assistant --hosts hosts.txt"],

  async run({ positionals: [name = ""], options, io }) {
    const { planJob } = await import("#jobs/plan/plan.ts");
    const { buildWorkers } = await import("../../project/build.ts");
    const { checkAgents } = await import("../../inspection/check-agents.ts");
    const { loadJobFile } = await import("../../jobs/job-files.ts");
    const { readPlacement } = await import("../../jobs/read-placement.ts");
    const { placeAgents } = await import("#jobs/placement/place-agents.ts");
    const { planEnvironment } = await import("../../project/plan-environment.ts");
    const { showBudgets } = await import("../../jobs/show-budgets.ts");
    const { describePlan } = await import("../../jobs/show-plan.ts");
    const { readJobState } = await import("../../targets/local/state/state.ts");
    const home = troupeHome();
    const placement = await readPlacement(options);
    const loaded = await loadJobFile(name, placement);
    const { job } = loaded;
    const built = await noteIfSlow(io, "Building the Workers", async () => buildWorkers(home));
    const mistakes = await checkAgents(home, loaded, built, io.signal);
    if (mistakes.length > 0) throw mistakesError(mistakes);
    const ports = (await readJobState(home, job.name))?.ports ?? {};
    const plan = planJob(job, { ...planEnvironment(built.bundles, ports), placement });
    for (const note of placeAgents(job, placement).notes) io.note(note);
    if (options.json === true) printJson(io, plan);
    else io.print(`${describePlan(plan)}\n${showBudgets(job)}`);
  },
});
