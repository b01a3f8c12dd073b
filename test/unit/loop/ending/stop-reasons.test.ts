// What an answer with tool calls says of how it stopped: the calls count, and some reasons keep them from being run.
import { expect, it } from "vitest";
import * as z from "zod";
import type { Step } from "#shared/loop/log/step.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { FULL_ACCESS, run, runToRest, ScriptedModel } from "../scripted.ts";

const CALLS = [{ id: "t1", name: "post", json: '{"text":"x"}' }];

function posting() {
  const posted: string[] = [];
  const input = z.object({ text: z.string() });
  const annotations = { readOnly: false, idempotent: false };
  const note = ({ text }: z.output<typeof input>) => {
    posted.push(text);
    return "Posted.";
  };
  return { posted, tools: [defineTool({ name: "post", description: "Posts", input, annotations, run: note })] };
}

it("a call that was approved runs, though its answer had said that it pauses", async () => {
  const { posted, tools } = posting();
  const more = { tools, permissions: { ...FULL_ACCESS, ask: ["post"] } };
  const first = await runToRest(new ScriptedModel({ calls: CALLS, stop: "pause_turn" }), more);
  if (first.result.subtype !== "suspended") throw new Error("It did not wait.");
  const id = first.result.approvals[0]?.id ?? "";
  const steps: Step[] = [...first.steps, { kind: "approval_answer", id, decision: "allow", by: "client" }];
  await run(new ScriptedModel({ text: "after" }), { ...more, steps, life: 2 });
  expect(posted).toEqual(["x"]);
});

it.each([
  ["refusal", /refusal, so this call was not run/],
  ["model_context_window_exceeded", /before this call was complete, so it was not run/],
  ["max_tokens", /before this call was complete, so it was not run/],
] as const)(
  "a call of an answer that ended as %s is not run, nor asked about, and the model hears why",
  async (stop, why) => {
    const { posted, tools } = posting();
    for (const ask of [[], ["post"]]) {
      const model = new ScriptedModel({ calls: CALLS, stop }, { text: "so be it" });
      const { result, steps } = await run(model, { tools, permissions: { ...FULL_ACCESS, ask } });
      expect(result).toMatchObject({ subtype: "success", denials: [] });
      const told = expect.stringMatching(why);
      expect(steps).toContainEqual(expect.objectContaining({ kind: "tool_result", isError: true, content: told }));
    }
    expect(posted).toEqual([]);
  },
);
