// Checks an agent's module for the exports that every agent needs, before anything is built.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Mistake } from "#jobs/file/mistake.ts";
import { ownAgents } from "#jobs/schema/remote.ts";
import { type Job, workerOf } from "#jobs/schema/schema.ts";

import { PROJECT } from "../project/project.ts";
import { beginningOf } from "./place.ts";
import { hasCode } from "../terminal/system-error.ts";
import { reasonOf } from "#shared/text/reason.ts";

/** The Durable Objects of every agent. */
const OBJECTS = ["Session", "Beacon", "SessionIndex"];

/**
 * Checks the agents whose Worker is one of `workers`, the folders in `folder` of the project. A name that stands nowhere in the module
 * cannot be exported.
 */
export async function missingExports(
  job: Pick<Job, "agents">,
  workers: readonly string[],
  folder = "workers/agents",
): Promise<Mistake[]> {
  const used = [...new Set(ownAgents(job.agents).map(workerOf))].filter((worker) => workers.includes(worker));
  const found = await Promise.all(
    used.map(async (worker) => {
      const entry = `${folder}/${worker}/index.ts`;
      let text: string;
      try {
        text = await readFile(join(PROJECT, entry), "utf8");
      } catch (error) {
        const isMissing = hasCode(error, "ENOENT");
        const message = isMissing
          ? "the file is missing: an agent begins with it"
          : `it cannot be read: ${reasonOf(error)}`;
        return [{ ...beginningOf(entry), message, hint: "" }];
      }
      if (/\bexport\s*\*/.test(text)) return [];
      const names = OBJECTS.filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
      return [...mistakeOf(entry, names), ...(/\bdefault\b/.test(text) ? [] : [noDefault(entry)])];
    }),
  );
  return found.flat();
}

function noDefault(entry: string): Mistake {
  const message = "it has no default export to answer requests";
  return { ...beginningOf(entry), message, hint: "Add: export default agent.worker;" };
}

/** Mistakes for the Durable Objects that a bundle does not export; `exported` are the names of its classes. */
export function missingObjects(entry: string, exported: readonly string[]): Mistake[] {
  return mistakeOf(
    entry,
    OBJECTS.filter((name) => !exported.includes(name)),
  );
}

function mistakeOf(entry: string, names: readonly string[]): Mistake[] {
  if (names.length === 0) return [];
  const message = `it does not export ${names.join(", ")}, without which the agent cannot run`;
  return [{ ...beginningOf(entry), message, hint: `Add: export const { ${OBJECTS.join(", ")} } = agent.objects;` }];
}
