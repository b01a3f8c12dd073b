// /compact in the next life of a turn: what was said, made or paid for stays so.
import { expect, it } from "vitest";
import { BudgetUnreachable } from "#shared/budget/account.ts";
import { run, ScriptedModel } from "./scripted.ts";
import { book, rounds } from "./steps.ts";

const THREAD = [...rounds(3, 1_000), { kind: "user", text: "/compact", command: "compact" } as const];

it("a hook that ended it has ended it", async () => {
  let times = 0;
  const once = () => (times++ === 0 ? { continue: false, stopReason: "enough" } : {});
  const hooks = { PreCompact: [{ hooks: [once] }] };
  const first = await run(new ScriptedModel({ text: "SUMMARY" }), { steps: THREAD, hooks });
  expect(first.result).toMatchObject({ subtype: "error_during_execution", message: "enough" });
  const model = new ScriptedModel({ text: "SUMMARY" });
  expect((await run(model, { steps: first.steps, hooks, life: 2 })).result).toMatchObject({ message: "enough" });
  expect(model.requests).toEqual([]);
});

it("what the model refused to summarise is not paid for again, and the reason is told", async () => {
  const first = await run(new ScriptedModel({ text: "no", stop: "refusal" }), { steps: THREAD });
  const model = new ScriptedModel({ text: "no" });
  const { result } = await run(model, { steps: first.steps, life: 2 });
  expect(result).toEqual({ ...first.result, usage: result.usage, turns: result.turns });
  expect(result).toMatchObject({ subtype: "success", text: expect.stringContaining("was not compacted") });
  expect(model.requests).toEqual([]);
});

it("a call that an earlier life was making counts", async () => {
  const { steps } = await run(new ScriptedModel({ text: "SUMMARY" }), { steps: THREAD, life: 2 });
  expect(steps.slice(THREAD.length).map(({ kind }) => kind)).toEqual(["model_cut", "compaction"]);
  const again = await run(new ScriptedModel(), { steps, life: 3 });
  expect(again.steps).toEqual(steps);
});

it("what is done stays done when the account is away, in this life and the next", async () => {
  const settle = async () => {
    throw new BudgetUnreachable("away");
  };
  const { account } = book({ settle, cutEarlierLives: settle });
  const first = await run(new ScriptedModel({ text: "SUMMARY" }), { steps: THREAD, account });
  expect(first.result).toMatchObject({ subtype: "success", text: expect.stringContaining("was compacted") });
  const second = await run(new ScriptedModel(), { steps: first.steps, account, life: 2 });
  expect(second.result).toMatchObject({ subtype: "success", text: expect.stringContaining("was compacted") });
});
