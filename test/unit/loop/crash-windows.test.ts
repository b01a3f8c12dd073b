// Crash windows of the loop: what another life does with the log that the last one left.
import { expect, it } from "vitest";
import * as z from "zod";
import type { Step } from "#shared/loop/log/step.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { ECHO, run, ScriptedModel } from "./scripted.ts";

const call = (id: string, name: string, text: string) => ({ id, name, json: JSON.stringify({ text }) });
const never = () => new Promise<never>(() => undefined);

it("a PreToolUse hook's context is written with the result, not once in each life; else no strike would ever count", async () => {
  const poison = defineTool({
    name: "poison",
    description: "Ends its isolate each time",
    input: z.object({ text: z.string() }),
    annotations: { readOnly: true, idempotent: true },
    run: never,
  });
  const hooks = {
    PreToolUse: [
      {
        hooks: [() => ({ hookSpecificOutput: { hookEventName: "PreToolUse" as const, additionalContext: "careful" } })],
      },
    ],
  };
  let log: Step[] = [{ kind: "user", text: "hi" }];
  const lengths: number[] = [];
  for (let life = 1; life <= 5; life++) {
    const steps = [...log];
    const controller = new AbortController();
    const model = life === 1 ? new ScriptedModel({ calls: [call("p", "poison", "x")] }) : new ScriptedModel();
    const ran = run(model, {
      steps,
      tools: [poison],
      hooks,
      life,
      signal: controller.signal,
      budget: { maxTurns: 5, maxWallMs: 60 },
    });
    const { steps: after } = await ran;
    // The isolate ends before the wall time's own end is written: only what came before counts.
    log = after.filter((step) => step.kind !== "tool_result");
    lengths.push(log.length);
  }
  expect(new Set(lengths).size).toBe(1);
});

it("a message that a hook refused is not answered by the next life", async () => {
  const model = new ScriptedModel({ text: "answer to what was refused" });
  const log: Step[] = [
    { kind: "user", text: "forbidden" },
    { kind: "blocked", reason: "not this" },
  ];
  const { result } = await run(model, { steps: log, life: 2 });
  expect(model.requests).toEqual([]);
  expect(result.subtype).toBe("error_during_execution");
});

it("a turn that a PostToolUse hook stopped stays stopped when its isolate ends before its end is stored", async () => {
  const hooks = { PostToolUse: [{ hooks: [() => ({ continue: false, stopReason: "enough" })] }] };
  const first = await run(new ScriptedModel({ calls: [call("e", "echo", "x")] }), { hooks, tools: [ECHO] });
  expect(first.result).toMatchObject({ subtype: "error_during_execution", message: "enough" });
  const model = new ScriptedModel({ text: "went on" });
  const second = await run(model, { hooks, tools: [ECHO], steps: first.steps, life: 2 });
  expect(model.requests).toEqual([]);
  expect(second.result).toMatchObject({ subtype: "error_during_execution" });
});
