// Jobs for the tests beside this file.
import { loadJob } from "#jobs/load.ts";
import { formatMistake } from "#jobs/file/mistake.ts";
import { placeAgents, type Placement, type PlacementChoice } from "#jobs/placement/place-agents.ts";
import type { Job } from "#jobs/schema/schema.ts";

/** A job file with these agents (id → target, or "" for none), and more lines. */
export function jobText(agents: Readonly<Record<string, string>>, more: string): string {
  const lines = Object.entries(agents).map(
    ([id, target]) => `  - { id: ${id}, worker: searcher${target === "" ? "" : `, target: "${target}"`} }`,
  );
  return `name: x\nagents:\n${lines.join("\n")}\n${more}\n`;
}

/** The job of a file with mistakes of placement alone. */
export function jobFrom(text: string): Job {
  const loaded = loadJob(text, "job.yaml", { workers: ["searcher"], variables: new Set() });
  if (!("mistakes" in loaded)) return loaded.job;
  if (loaded.partial === undefined) throw new Error(loaded.mistakes.map(formatMistake).join("\n"));
  return loaded.partial.job;
}

export function placed(text: string, choice: PlacementChoice = {}): Placement {
  return placeAgents(jobFrom(text), choice);
}

/** The mistakes of a job file, `line:column: message | hint`. */
export function mistakesOf(text: string, placement: PlacementChoice = {}): string[] {
  const loaded = loadJob(text, "job.yaml", { workers: ["searcher"], variables: new Set(), placement });
  if (!("mistakes" in loaded)) return [];
  return loaded.mistakes.map(({ line, column, message, hint }) => `${line}:${column}: ${message} | ${hint}`);
}
