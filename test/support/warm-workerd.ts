// workerd as an earlier deployment leaves it, on this machine and on hosts: to prepare and send it takes seconds each time.
import { link, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type Binary, workerdFor } from "../../scripts/targets/hosts/workerd/binary.ts";
import { SILENT_IO } from "./deployment.ts";

const OWN = process.arch === "arm64" ? "arm64" : "x64";

/** Folders of Troupe: this machine's, and those of hosts on it. Does nothing outside of a run of tests that share a build. */
export async function warmWorkerd(home: string, hosts: readonly string[]): Promise<void> {
  const prebuilt = process.env["PREBUILT_WORKERS"];
  if (prebuilt === undefined) return;
  const shared = dirname(prebuilt);
  const binary: Binary = await workerdFor(OWN, { home: shared, io: SILENT_IO });
  await mkdir(join(home, "cache"), { recursive: true });
  await symlink(join(shared, "cache", "workerd"), join(home, "cache", "workerd"));
  for (const host of hosts) {
    await mkdir(join(host, "cache"), { recursive: true, mode: 0o700 });
    await link(binary.path, join(host, "cache", `workerd-${binary.sha256.slice(0, 16)}`));
  }
}
