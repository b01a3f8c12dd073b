// The reports of agents on their own definitions. Each bundle and configuration is asked once, and its report is kept.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import * as z from "zod";

import { AgentReport } from "#shared/agent/inspection/report.ts";

import { writeFileAtomically } from "../project/atomic-file.ts";
import type { Bundle } from "../project/build.ts";
import { type WorkerReply, askWorkers } from "./engine.ts";

/** Kept reports; a job has one for each agent. */
const MAX_KEPT = 500;
/** Changes with the engine's question: older reports are then asked again. */
const VERSION = 1;

export interface Asked {
  readonly bundle: Bundle;
  /** The agent's AgentConfig. */
  readonly config: unknown;
}

export type Inspection = { readonly report: AgentReport } | Exclude<WorkerReply, { readonly reports: unknown }>;

const Kept = z.array(z.tuple([z.string(), AgentReport]));

/** Inspections in the order of `asked`. Throws CliError when workerd cannot be started. */
export async function inspectAgents(home: string, asked: readonly Asked[], signal: AbortSignal): Promise<Inspection[]> {
  const file = join(home, "build", "inspections.json");
  const kept = new Map(await readKept(file));
  const keys = asked.map(keyOf);
  const missing = asked.filter((_, index) => !kept.has(keys[index] ?? ""));
  const fresh = await askMissing(home, missing, signal);
  const inspections = asked.map((one, index): Inspection => {
    const report = kept.get(keys[index] ?? "");
    return report === undefined ? (fresh.get(one) ?? { thrown: "it was not asked", stack: "" }) : { report };
  });
  if (missing.length > 0) {
    const reports = inspections.flatMap((inspection, index): [string, AgentReport][] =>
      "report" in inspection ? [[keys[index] ?? "", inspection.report]] : [],
    );
    const all = new Map([...reports, ...kept]);
    await writeFileAtomically(file, JSON.stringify([...all].slice(0, MAX_KEPT)));
  }
  return inspections;
}

/** Asks each Worker once for all its agents. */
async function askMissing(
  home: string,
  missing: readonly Asked[],
  signal: AbortSignal,
): Promise<Map<Asked, Inspection>> {
  const groups = [...Map.groupBy(missing, ({ bundle }) => bundle)];
  const questions = groups.map(([bundle, ones]) => ({ bundle, configs: ones.map(({ config }) => config) }));
  const answers = await askWorkers(home, questions, signal);
  return new Map(
    groups.flatMap(([, ones], group) => {
      const answer = answers[group];
      if (answer === undefined) return [];
      return ones.flatMap((one, index): [Asked, Inspection][] => {
        if (!("reports" in answer)) return [[one, answer]];
        const report = answer.reports[index];
        return report === undefined ? [] : [[one, { report }]];
      });
    }),
  );
}

function keyOf({ bundle, config }: Asked): string {
  return createHash("sha256")
    .update(JSON.stringify([VERSION, bundle.hash, config]))
    .digest("hex");
}

async function readKept(file: string): Promise<z.infer<typeof Kept>> {
  try {
    return Kept.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    // Absent, or of another version: the agents are asked again.
    return [];
  }
}
