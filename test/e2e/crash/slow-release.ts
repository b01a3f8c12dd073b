// Makes a deployed job's release one of slow, recorded agents: the agents' own code, with another define-agent.ts beneath it, and a
// binding to the recorder. What is restarted from then on is this release.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { build, type Plugin } from "esbuild";
import * as z from "zod";

import { Plan } from "#jobs/plan/plan-shape.ts";

import { PROJECT } from "../../../scripts/project/project.ts";
import { jobLayout } from "../../../scripts/targets/local/state/layout.ts";
import { readJobState } from "../../../scripts/targets/local/state/state.ts";
import { WORKER_FORMAT } from "../../../scripts/project/worker-format.ts";

const STAND_IN = join(import.meta.dirname, "worker", "define-slow-agent.ts");

const Config = z.looseObject({ config: z.looseObject({}), model: z.looseObject({}) });

/** US dollars per million tokens. */
export const PRICE = { input: 1, output: 5, cacheRead: 1, cacheWrite: 1 };

const slowTools: Plugin = {
  name: "slow-tools",
  setup({ onResolve }) {
    onResolve({ filter: /^#shared\/agent\/define-agent\.ts$/ }, () => ({ path: STAND_IN }));
  },
};

/** Rewrites the release that `job` was last deployed with. */
export async function slowRelease(home: string, job: string, recorderUrl: string): Promise<void> {
  const layout = jobLayout(home, job);
  const state = await readJobState(home, job);
  if (!state) throw new Error(`${job} is not deployed.`);
  const folder = layout.release(state.release);
  const planFile = join(folder, "plan.json");
  const plan = Plan.parse(JSON.parse(await readFile(planFile, "utf8")));
  const workers = new Set(plan.agents.map(({ worker }) => worker));
  await build({
    absWorkingDir: PROJECT,
    entryPoints: [...workers].map((worker) => ({ in: `workers/agents/${worker}/index.ts`, out: worker })),
    outdir: folder,
    plugins: [slowTools],
    ...WORKER_FORMAT,
    minify: true,
    logLevel: "silent",
  });
  const agents = plan.agents.map((agent) => ({
    ...agent,
    bindings: [
      ...agent.bindings.map((binding) =>
        binding.type === "json" && binding.name === "AGENT"
          ? { ...binding, value: changed(binding.value, recorderUrl) }
          : binding,
      ),
      { type: "service", name: "RECORDER", service: { to: "network", reach: "any" } },
    ],
  }));
  await writeFile(planFile, JSON.stringify(Plan.parse({ ...plan, agents }), null, 2));
}

/** The offline model is free; here it has a price, so that dollars are counted as well. */
function changed(config: unknown, recorder: string): unknown {
  const { config: own, model, ...rest } = Config.parse(config);
  return { ...rest, model: { ...model, price: PRICE }, config: { ...own, recorder } };
}
