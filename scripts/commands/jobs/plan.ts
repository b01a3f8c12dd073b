// troupe plan: shows what a deployment would do, without doing it.
import { formatMistake } from "#jobs/file/mistake.ts";
import { CliError, mistakesError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { PLACEMENT_OPTIONS } from "../../jobs/placement-options.ts";
import { type Io, noteIfSlow, printJson } from "../../terminal/io.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import type { BuildResult } from "../../project/build.ts";
import { troupeHome } from "../../project/project.ts";

export default defineCommand({
  name: "plan",
  summary: "Show what a deployment would make and change: places, ways, secrets, agents",
  usage: "<job>",
  positionals: [1, 1],
  options: { ...PLACEMENT_OPTIONS, json: JSON_OPTION },
  examples: ["troupe plan research-assistant", "troupe plan research-assistant --hosts hosts.txt"],

  async run({ positionals: [name = ""], options, io }) {
    const { changesBetween } = await import("#jobs/plan/changes.ts");
    const { knownEnvironment } = await import("#jobs/plan/known-environment.ts");
    const { planJob } = await import("#jobs/plan/plan.ts");
    const { placeAgents } = await import("#jobs/placement/place-agents.ts");
    const { buildMistakes, checkAgents } = await import("../../inspection/check-agents.ts");
    const { loadJobFile } = await import("../../jobs/job-files.ts");
    const { readPlacement } = await import("../../jobs/read-placement.ts");
    const { withAddresses } = await import("../../jobs/with-addresses.ts");
    const { describeSessionsLeft, sessionsLeft } = await import("../../sessions/sessions-left.ts");
    const { limitFindings } = await import("../../targets/cloudflare/limits.ts");
    const { estimateCost } = await import("#jobs/plan/cloudflare/cost.ts");
    const { describeCost, describeLimits } = await import("../../jobs/show-cloudflare.ts");
    const { planEnvironment } = await import("../../project/plan-environment.ts");
    const { showBudgets } = await import("../../jobs/show-budgets.ts");
    const { describeChanges } = await import("../../jobs/show-changes.ts");
    const { describePlan, secretsOf } = await import("../../jobs/show-plan.ts");
    const home = troupeHome();
    const choice = await readPlacement(options);
    const loaded = await loadJobFile(name, choice);
    const { job } = loaded;
    const placement = await withAddresses(job, choice);
    const { bundles, broken } = await build(home, io);
    const mistakes = await checkAgents(home, loaded, { bundles, broken: new Map() }, io.signal);
    if (mistakes.length > 0) throw mistakesError(mistakes);
    const unbuilt = buildMistakes(job, broken);
    for (const mistake of unbuilt) io.note(manyLines(formatMistake(mistake)));
    if (unbuilt.length > 0)
      io.note("What does not build is planned without its objects, and its code is not compared.");

    const { deployed, isKnown } = await deployedOf(home, job.name, io);
    const placed = placeAgents(job, placement);
    const known = deployed === undefined ? {} : knownEnvironment(deployed.plan, placed);
    const ports = deployed?.state.ports ?? {};
    const plan = planJob(job, { ...planEnvironment(bundles, ports), ...known, placement });
    const code = Object.fromEntries([...bundles].map(([worker, { hash }]) => [worker, hash] as const));
    const changes = isKnown ? changesBetween(deployed, { plan, code }) : null;

    const cost = estimateCost(plan);
    const limits = cost && (await limitFindings(plan, bundles));
    for (const note of placed.notes) io.note(note);
    const left = isKnown ? await sessionsLeft(job, placement, io) : undefined;
    if (options.json !== true) {
      io.print(`${describePlan(plan)}\n${showBudgets(job)}`);
      if (limits !== undefined) io.print(`\n${describeLimits(limits)}`);
      if (cost !== undefined) io.print(`\n${describeCost(cost)}`);
      if (changes !== null) io.print(`\n${describeChanges(changes, deployed)}`);
      if (left !== undefined) io.print(`  ${describeSessionsLeft(left)}`);
      return;
    }
    const agents = plan.agents.map((agent) => ({ ...agent, secrets: secretsOf(agent) }));
    printJson(io, {
      ...plan,
      agents,
      notes: placed.notes,
      limits: limits ?? null,
      cost: cost ?? null,
      release: releaseOf(deployed),
      changes,
      sessionsLeft: left ?? null,
    });
  },
});

/** No Workers where those that every job needs do not build. */
async function build(home: string, io: Io): Promise<Pick<BuildResult, "bundles" | "broken">> {
  const { buildWorkers } = await import("../../project/build.ts");
  try {
    return await noteIfSlow(io, "Building the Workers", async () => buildWorkers(home));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    io.note(manyLines(error.message));
    io.note("So agents are planned without their objects, and code is not compared.");
    return { bundles: new Map(), broken: new Map() };
  }
}

/** What is deployed; not known where its files are damaged. */
async function deployedOf(home: string, job: string, io: Io) {
  const { deployedVersion } = await import("../../jobs/deployed-version.ts");
  try {
    return { deployed: await deployedVersion(home, job), isKnown: true };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    io.note(manyLines(`What is deployed cannot be compared: ${error.message}`));
    return { deployed: undefined, isKnown: false };
  }
}

function releaseOf(deployed: Awaited<ReturnType<typeof deployedOf>>["deployed"]) {
  if (deployed === undefined) return null;
  const { release, deployedAt, stoppedAt } = deployed.state;
  return { number: release, deployedAt, stoppedAt };
}
