// A deployment of eleven agents whose command, or whose wranglers, are killed at each of its writes.
import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually, signalProcess } from "../support/deployment.ts";
import { descendants } from "../support/ssh-host.ts";
import { WholeTeam } from "./whole-team.ts";

const LIMIT_MS = 120_000;
/** A deployment of eleven agents makes three writes a Worker. */
const STEPS = [1, 2, 3, 5, 8, 12, 16, 20, 24, 28, 30, 32, 33] as const;

let team: WholeTeam;
const writes = () => team.cloudflare.calls.filter(({ call }) => !call.startsWith("GET ")).length;

beforeAll(async () => {
  team = await WholeTeam.start(7);
}, 300_000);
afterAll(async () => team[Symbol.asyncDispose]());

test.each(STEPS.flatMap((step) => (["the command", "a wrangler"] as const).map((victim) => ({ step, victim }))))(
  "$victim killed at write $step leaves one release that the next deployment makes whole",
  async ({ step, victim }) => {
    const [before, from] = [team.running(), writes()];
    const command = team.deployment.start("deploy", await team.nextFile());
    const { pid } = command.process;
    let hasEnded = false;
    void command.outcome.then(() => (hasEnded = true));
    await eventually(async () => (hasEnded || writes() - from >= step ? true : undefined), LIMIT_MS, "it writes");
    const [wrangler] = await descendants(pid ?? -1);
    const doomed = victim === "the command" ? pid : wrangler;
    if (!hasEnded && doomed !== undefined) signalProcess(doomed, "SIGKILL");
    const { code } = await command.outcome;
    const asked = await team.answers();
    // The command itself brings back what ran before; where it was killed, the next one does.
    const isWhole = victim === "the command" || team.same(before) !== "some";
    const next = await team.deployment.troupe("deploy", await team.nextFile());
    console.log(`${victim} at write ${step}: ${hasEnded ? "ended before, " : ""}exit ${code}, answered ${asked}`);
    expect({ asked, isWhole, code: next.code, same: team.same(before) }).toEqual({
      asked: true,
      isWhole: true,
      code: 0,
      same: "none",
    });
    expect(await team.answers()).toBe(true);
  },
);
