// Twelve kills of the research assistant's processes, and what is proved afterwards. More: npm run test:crash -- --kills 200 --seed 1.
import { expect, test } from "vitest";

import type { Isolation } from "./job.ts";
import { report } from "./report.ts";
import { run } from "./run.ts";
import { BOUNDARY_NAMES } from "./schedule.ts";

const SEED = 20_261;

export function twelveKills(isolation: Isolation): void {
  test(
    `after 12 kills at step boundaries and at any moment every query has ended, nothing ran twice, nothing is lost and the account is exact (isolation: ${isolation})`,
    { timeout: 240_000 },
    async () => {
      const findings = await run({ isolation, supervised: false, kills: 12, seed: SEED });
      console.log(report([findings]));
      const { faults, queries, logs, killedAfter, cutTokens } = findings;
      expect(faults).toEqual([]);
      // That there was something to prove: a kill at each boundary between two steps, and turns were gone on with.
      expect(BOUNDARY_NAMES.filter((name) => killedAfter.get(name) === 0)).toEqual([]);
      expect(logs.tasks.filter(({ lives }) => lives > 1).length).toBeGreaterThanOrEqual(10);
      expect(queries.length).toBeGreaterThanOrEqual(5);
      expect(cutTokens).toBeGreaterThan(0);
    },
  );
}
