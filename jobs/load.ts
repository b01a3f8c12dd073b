// The text of a job file → a validated job, or all mistakes in it.
import type * as z from "zod";

import { checkJob, type Surroundings } from "./check/check.ts";
import type { Mistake } from "./file/mistake.ts";
import { schemaMistakes } from "./check/schema-mistakes.ts";
import { Job } from "./schema/schema.ts";
import { readSource, type Source } from "./file/source.ts";

/** A job and its source. */
export interface LoadedJob {
  readonly job: Job;
  readonly source: Source;
}

/** `partial`: the job without the fields that do not fit, for further checks; undefined where it needs them. */
export type LoadResult = LoadedJob | { readonly mistakes: Mistake[]; readonly partial?: LoadedJob | undefined };

/** Never throws for any text. Mistakes come in the order of their lines. */
export function loadJob(text: string, file: string, surroundings: Surroundings): LoadResult {
  const read = readSource(text, file);
  if ("mistakes" in read) return read;
  const { source } = read;
  const parsed = parse(source.data);
  let mistakes = parsed.success ? [] : schemaMistakes(parsed.error.issues, source);
  // A misspelt field must not hide an unknown agent, so the job is checked without the fields that do not fit.
  const job = parsed.success ? parsed.data : repaired(source.data, parsed.error.issues);
  if (job !== undefined) {
    const lines = new Set(mistakes.map(({ line }) => line));
    mistakes = mistakes.concat(checkJob(job, source, surroundings).filter(({ line }) => !lines.has(line)));
  }
  const loaded = job && { job, source };
  if (mistakes.length === 0 && loaded !== undefined) return loaded;
  return { mistakes: inOrder(mistakes), partial: loaded };
}

/**
 * Parses a job without its fields that begin with x-: those are free for anchors and notes, wherever unknown fields are
 * refused.
 */
function parse(data: unknown): z.ZodSafeParseResult<Job> {
  const parsed = Job.safeParse(data);
  const own = (parsed.error?.issues ?? []).flatMap(({ path, ...issue }) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.filter((key) => key.startsWith("x-")).map((key) => [...path, key])
      : [],
  );
  if (own.length === 0) return parsed;
  const copy: unknown = structuredClone(data);
  for (const path of own) removeField(copy, path);
  return Job.safeParse(copy);
}

/** Mistakes sorted by line; the first one's file comes first. */
export function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const first = mistakes[0]?.file ?? "";
  const rank = ({ file }: Mistake): string => (file === first ? "" : file);
  return mistakes.toSorted((a, b) => rank(a).localeCompare(rank(b)) || a.line - b.line || a.column - b.column);
}

/** The job without the fields that do not fit; undefined where it needs them. */
function repaired(
  data: unknown,
  issues: readonly { readonly path: PropertyKey[]; readonly code?: unknown }[],
): Job | undefined {
  const copy: unknown = structuredClone(data);
  for (const issue of issues) {
    const keys = "keys" in issue && Array.isArray(issue.keys) ? issue.keys : undefined;
    const paths = keys === undefined ? [issue.path] : keys.map((key: string) => [...issue.path, key]);
    for (const path of paths) removeField(copy, path);
  }
  const parsed = parse(copy);
  return parsed.success ? parsed.data : undefined;
}

/** Removes a field of a mapping. Items of lists stay, since the paths to later items would shift. */
function removeField(data: unknown, path: readonly PropertyKey[]): void {
  let parent = data;
  for (const segment of path.slice(0, -1)) {
    if (typeof parent !== "object" || parent === null) return;
    parent = Reflect.get(parent, segment);
  }
  const key = path.at(-1);
  if (typeof parent !== "object" || parent === null || Array.isArray(parent) || key === undefined) return;
  Reflect.deleteProperty(parent, key);
}
