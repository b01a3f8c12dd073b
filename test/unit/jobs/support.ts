// Loads a job from text for the tests beside this file; a mistake fails the test with the mistake's own words.
import { loadJob } from "#jobs/load.ts";
import { formatMistake } from "#jobs/file/mistake.ts";
import type { Job } from "#jobs/schema/schema.ts";

const WORKERS = ["coordinator", "desk", "fact-checker", "payments", "searcher", "summarizer", "tck"];

export function jobOf(text: string, variables: readonly string[] = []): Job {
  const result = loadJob(text, "job.yaml", { workers: WORKERS, variables: new Set(variables) });
  if ("mistakes" in result) throw new Error(result.mistakes.map(formatMistake).join("\n"));
  return result.job;
}

/** A job of the agents a, b, c and d, with this topology (one line of YAML) and more fields after it. */
export function jobWith(topology: string, more = ""): Job {
  const agents = ["a", "b", "c", "d"].map((id) => `  - { id: ${id}, worker: searcher }`).join("\n");
  return jobOf(`name: x\nagents:\n${agents}\ntopology: ${topology}\n${more}`);
}
