// The Workers, bundled once for all deployments of a test run: each takes a copy (test/support/deployment.ts).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildWorkers } from "../../scripts/project/build.ts";

export default async function setup() {
  const home = await mkdtemp(join(tmpdir(), "troupe-prebuilt-"));
  await buildWorkers(home);
  process.env["PREBUILT_WORKERS"] = join(home, "build");
  return async () => rm(home, { recursive: true, force: true });
}
