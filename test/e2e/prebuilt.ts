// The Workers, bundled once for all deployments of a test run: each takes a copy (test/support/deployment.ts).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildWorkers } from "../../scripts/project/build.ts";

export default async function setup() {
  // Another project of this run has bundled them.
  if (process.env["PREBUILT_WORKERS"] !== undefined) return undefined;
  const home = await mkdtemp(join(tmpdir(), "troupe-prebuilt-"));
  process.env["PREBUILT_WORKERS"] = join(home, "build");
  await buildWorkers(home);
  return async () => rm(home, { recursive: true, force: true });
}
