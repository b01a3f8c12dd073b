// The disk under the sessions is full in mid-turn, for real: a small file system in a namespace of the test's own.
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";
import * as z from "zod";

const Findings = z.object({
  faults: z.array(z.string()),
  /** Lines of the agents' own log that say so. */
  failedWrites: z.number(),
  /** Tasks that another life of their session went on with. */
  resumed: z.number(),
  endedWhileFull: z.array(z.string()),
  queries: z.number(),
  /** States of the job and its processes after it was stopped on a full disk. */
  left: z.array(z.string()),
});

/** Not everywhere may one who is not root mount anything. */
const mayMount = spawnSync("unshare", ["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

test(
  "a disk that is full in mid-turn loses nothing, nothing runs twice, nobody is told of an end that is not kept, turns go on once there is room, and stopping needs none",
  { skip: !mayMount },
  async () => {
    const program = join(import.meta.dirname, "full-disk.ts");
    const { stdout } = await promisify(execFile)("unshare", ["-Urm", process.execPath, program]);
    const { faults, failedWrites, resumed, endedWhileFull, queries, left } = Findings.parse(JSON.parse(stdout));
    expect(faults).toEqual([]);
    expect(endedWhileFull).toEqual([]);
    expect(queries).toBe(4);
    expect(failedWrites).toBeGreaterThan(0);
    expect(resumed).toBeGreaterThan(0);
    expect(left).toEqual(["stopped", "dead"]);
  },
);
