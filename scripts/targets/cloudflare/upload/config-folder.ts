// A folder with one configuration, from which wrangler works. It may come to hold secrets, so it goes when the work ends.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `work` with the folder, where the configuration is `wrangler.json`. */
export async function inConfigFolder<Result>(
  config: Readonly<Record<string, unknown>>,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-wrangler-"));
  try {
    await writeFile(join(folder, "wrangler.json"), JSON.stringify(config));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
