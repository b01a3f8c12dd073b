// Limits as a job file may set them.
import { expect, it, vi } from "vitest";
import { run, ScriptedModel } from "./scripted.ts";

it("a wall time of 30 days does not end a turn at once, as a timer of more than 2^31 ms would", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout");
  await run(new ScriptedModel({ text: "done" }), { budget: { maxTurns: 5, maxWallMs: 30 * 86_400_000 } });
  const longest = Math.max(...timers.mock.calls.map(([, ms = 0]) => ms));
  timers.mockRestore();
  expect(longest).toBe(2 ** 31 - 1);
});
