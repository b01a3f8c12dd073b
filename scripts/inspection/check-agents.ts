// Checks a job against its agents' code before anything starts: mistakes in the definitions of agents, and tools and
// settings in the job that no agent has.
import type { Message } from "esbuild";

import { checkTakenNames, checkTools } from "#jobs/check/check-tools.ts";
import { agentConfigs } from "#jobs/plan/bindings.ts";
import type { Mistake } from "#jobs/file/mistake.ts";
import { inOrder, type LoadedJob } from "#jobs/load.ts";
import { ownAgents } from "#jobs/schema/remote.ts";
import { type Job, workerOf } from "#jobs/schema/schema.ts";

import type { Bundle, BuildResult } from "../project/build.ts";
import { planEnvironment } from "../project/plan-environment.ts";
import { inspectAgents, type Inspection } from "./inspect-agents.ts";
import { missingObjects } from "./missing-exports.ts";
import { beginningOf, placeOf } from "./place.ts";
import { explainThrown } from "./thrown.ts";

/** Mistakes in the job file and in the agents' sources. Skips an agent without a bundle, which is a mistake already. */
export async function checkAgents(
  home: string,
  { job, source }: LoadedJob,
  { bundles, broken }: Pick<BuildResult, "bundles" | "broken">,
  signal: AbortSignal,
): Promise<Mistake[]> {
  const configs = agentConfigs(job, planEnvironment(bundles, {}));
  const asked = job.agents.flatMap((agent, index) => {
    const bundle = agent.remote === undefined ? bundles.get(workerOf(agent)) : undefined;
    return bundle === undefined ? [] : [{ index, bundle, config: configs[index] }];
  });
  const inspections = await inspectAgents(home, asked, signal);
  const reports = job.agents.map((_, index) => {
    const inspection = inspections[asked.findIndex((one) => one.index === index)];
    return inspection !== undefined && "report" in inspection ? inspection.report : undefined;
  });
  const inCode = buildMistakes(job, broken);
  for (const [index, { bundle }] of asked.entries()) {
    const inspection = inspections[index];
    if (inspection !== undefined) inCode.push(...(await mistakesIn(bundle, inspection)));
  }
  const objects = job.agents.map((agent) =>
    agent.remote === undefined ? (bundles.get(workerOf(agent))?.objects ?? []) : [],
  );
  const inFile = [...checkTools(job, source, reports), ...checkTakenNames(job, source, objects)];
  return inOrder([...inFile, ...distinct(inCode)]);
}

/** Of the Workers of a job that do not build. */
export function buildMistakes(job: Job, broken: BuildResult["broken"]): Mistake[] {
  return [...new Set(ownAgents(job.agents).map(workerOf))].flatMap((worker) =>
    (broken.get(worker) ?? []).map((error) => buildMistake(worker, error)),
  );
}

function buildMistake(worker: string, { text, location }: Message): Mistake {
  const { file = `workers/agents/${worker}/index.ts`, line = 1, column = 0 } = location ?? {};
  return { ...beginningOf(file), line, column: column + 1, message: `it does not build: ${text}`, hint: "" };
}

async function mistakesIn(bundle: Bundle, inspection: Inspection): Promise<Mistake[]> {
  const { entry, objects } = bundle;
  const missing = missingObjects(entry, objects);
  if ("foreign" in inspection) {
    const hint = "Write: export default agent.worker; where agent is what defineAgent returns.";
    return [...missing, { ...beginningOf(entry), message: "its default export is not the handler of an agent", hint }];
  }
  if ("thrown" in inspection) {
    const { place, message } = await explainThrown(bundle, inspection);
    return [...missing, { ...place, message: `the agent cannot start: ${message}`, hint: "" }];
  }
  const flaws = await Promise.all(
    inspection.report.flaws.map(async ({ message, hint, quote, nth, stack }) => {
      const thrown = stack === null ? undefined : await explainThrown(bundle, { thrown: message, stack });
      return { ...(thrown?.place ?? (await placeOf(bundle, quote, nth))), message, hint };
    }),
  );
  return [...missing, ...flaws];
}

/** Drops repetitions: several agents may run one Worker. */
function distinct(mistakes: readonly Mistake[]): Mistake[] {
  return [...new Map(mistakes.map((mistake) => [JSON.stringify(mistake), mistake])).values()];
}
