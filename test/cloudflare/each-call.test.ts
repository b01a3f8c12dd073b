// Each call of Cloudflare's API fails once in a deployment: afterwards the old release is whole, or the new one.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { WholeTeam } from "./whole-team.ts";

let team: WholeTeam;
/** Every call that a deployment of changed agents makes. */
let calls: string[];

beforeAll(async () => {
  team = await WholeTeam.start(0);
  const from = team.cloudflare.calls.length;
  await team.deployment.succeed("deploy", await team.nextFile());
  calls = [...new Set(team.cloudflare.calls.slice(from).map(({ call }) => call))];
}, 300_000);
afterEach(() => {
  team.cloudflare.clearFaults();
});
afterAll(async () => team[Symbol.asyncDispose]());

test.each([
  { how: { status: 500 } },
  { how: { status: 403 } },
  { how: { status: 429, retryAfter: 1 } },
  { how: "drop" },
  { how: "drop-after" },
  { how: { slowMs: 3_000 } },
] as const)(
  "each call that fails once ($how) leaves one whole release that answers",
  async ({ how }) => {
    expect(calls.length).toBeGreaterThan(6);
    for (const call of calls) {
      for (const nth of [1, 3]) {
        const before = team.running();
        team.cloudflare.fail({ call, nth, how });
        const { code, stderr } = await team.deployment.troupe("deploy", await team.nextFile());
        team.cloudflare.clearFaults();
        const same = team.same(before);
        console.log(`${call} #${nth} ${JSON.stringify(how)}: exit ${code}, ${same} as before`);
        expect({ call, nth, code, same, stderr: code === 0 ? "" : stderr }).toMatchObject(
          code === 0 ? { same: "none" } : { code: 1, same: "all" },
        );
        expect(await team.answers()).toBe(true);
      }
    }
  },
  1_800_000,
);

test("an API that is away for long leaves a release that the next deployment makes whole", async () => {
  for (const call of calls.filter((each) => each.startsWith("POST "))) {
    team.cloudflare.fail({ call, nth: 2, times: 10_000, how: { status: 503 } });
    for (const read of calls.filter((each) => each.startsWith("GET ")))
      team.cloudflare.fail({ call: read, nth: 30, times: 10_000, how: { status: 503 } });
    const failed = await team.deployment.troupe("deploy", await team.nextFile());
    expect(failed.code).toBe(1);
    team.cloudflare.clearFaults();
    const before = team.running();
    await team.deployment.succeed("deploy", await team.nextFile());
    expect(team.same(before)).not.toBe("all");
    expect(await team.answers()).toBe(true);
  }
}, 1_800_000);

test("nothing was asked that Cloudflare does not know", () => {
  expect(team.cloudflare.unknownCalls).toEqual([]);
});
