// Limits as a job file may set them, and clocks as machines have them.
import { afterEach, expect, it, vi } from "vitest";
import * as z from "zod";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { SettableClock } from "../../support/settable-clock.ts";
import { run, ScriptedModel } from "./scripted.ts";

const HOUR_MS = 3_600_000;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it("a wall time of 30 days does not end a turn at once, as a timer of more than 2^31 ms would", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout");
  const budget = { maxTurns: 5, maxWallMs: 30 * 86_400_000 };
  const { result } = await run(new ScriptedModel({ text: "done" }), { budget });
  expect(result.subtype).toBe("success");
  expect(Math.max(...timers.mock.calls.map(([, ms = 0]) => ms))).toBeLessThan(2 ** 31);
});

it("a clock that is set forward by an hour in a model call does not spend the wall time, which ends when it has passed", async () => {
  const clock = new SettableClock();
  const model = new ScriptedModel({ text: "…", hang: true });
  const done = vi.fn<() => void>();
  const running = run(model, { budget: { maxTurns: 5, maxWallMs: 300_000 } }).finally(done);
  await clock.pass(1_000);
  await clock.set(HOUR_MS);
  await clock.pass(290_000);
  expect(done).not.toHaveBeenCalled();
  await clock.pass(10_000);
  expect((await running).result.subtype).toBe("error_max_wall_time");
  expect(clock.waiting).toBe(0);
});

it("a clock that is set forward by an hour while a tool or a hook runs leaves it its time", async () => {
  const clock = new SettableClock();
  const slow = () => new Promise<void>((resolve) => void released.push(resolve));
  const released: (() => void)[] = [];
  const tool = defineTool({
    name: "slow",
    description: "Takes long",
    input: z.object({}),
    annotations: { readOnly: true, idempotent: true },
    limitMs: 60_000,
    run: async () => {
      await slow();
      return "in time";
    },
  });
  const onFailure = "block";
  const hooks = { PreToolUse: [{ onFailure, timeout: 120, hooks: [async () => slow()] }] } as const;
  const model = new ScriptedModel({ calls: [{ id: "c", name: "slow", json: "{}" }] }, { text: "done" });
  const running = run(model, { tools: [tool], hooks, budget: { maxTurns: 5, maxWallMs: 300_000 } });
  for (const _ of ["hook", "tool"]) {
    await clock.pass(1_000);
    await clock.set(HOUR_MS);
    await clock.pass(20_000);
    released.shift()?.();
    await clock.pass(0);
  }
  const { result, steps } = await running;
  expect(result.subtype).toBe("success");
  expect(steps).toContainEqual(expect.objectContaining({ kind: "tool_result", content: "in time" }));
  expect(clock.waiting).toBe(0);
});
