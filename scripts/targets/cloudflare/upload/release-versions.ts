// Which version of each Worker belongs to a release: kept beside its plan.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { JobLayout } from "../../local/state/layout.ts";
import { Uploaded, writeState } from "../../local/state/state.ts";

/** Agent → what its Worker runs. */
const Versions = z.record(z.string(), Uploaded);
export type Versions = z.infer<typeof Versions>;

function pathOf(layout: JobLayout, release: number): string {
  return join(layout.release(release), "cloudflare.json");
}

export async function writeVersions(layout: JobLayout, release: number, versions: Versions): Promise<void> {
  await writeState(pathOf(layout, release), versions);
}

/** Throws CliError for a release that never ran on Cloudflare. */
export async function readVersions(layout: JobLayout, release: number): Promise<Versions> {
  const text = await readFile(pathOf(layout, release), "utf8").catch(() => "");
  const { data } = Versions.safeParse(parseJson(text));
  if (data !== undefined) return data;
  throw new CliError("failed", `Release ${release} did not run on Cloudflare.`, "Deploy the job again.");
}
