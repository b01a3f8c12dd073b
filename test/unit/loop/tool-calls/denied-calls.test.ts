// Calls that are not run because somebody said no: they count as denied, the model is told so, and some end the turn as well.
import { describe, expect, it } from "vitest";
import type { Hooks } from "#shared/loop/hooks/matcher.ts";
import { transcript } from "#shared/loop/log/conversation.ts";
import { type Step } from "#shared/loop/log/step.ts";
import { FULL_ACCESS, run, ScriptedModel, type More } from "../scripted.ts";

const CALL = { calls: [{ id: "t1", name: "echo", json: '{"text":"x"}' }] };
const NOTHING_ALLOWED = { ...FULL_ACCESS, preset: "custom" as const, allow: [] };
const ASK = { ...FULL_ACCESS, ask: ["echo"] };

const told = (steps: readonly Step[]) =>
  steps.flatMap((step) => (step.kind === "tool_result" ? [step.content] : [])).join("\n");

describe("a no that ends the turn as well", () => {
  const interrupting = {
    hookSpecificOutput: {
      hookEventName: "PermissionRequest" as const,
      decision: { behavior: "deny" as const, message: "never", interrupt: true },
    },
  };
  it.each<[string, More]>([
    [
      "of canUseTool",
      { permissions: NOTHING_ALLOWED, canUseTool: () => ({ behavior: "deny", message: "never", interrupt: true }) },
    ],
    [
      "of a PermissionRequest hook",
      { permissions: ASK, hooks: { PermissionRequest: [{ hooks: [() => interrupting] }] } },
    ],
    [
      "of a PermissionRequest hook that says continue: false",
      {
        permissions: ASK,
        hooks: { PermissionRequest: [{ hooks: [() => ({ continue: false, stopReason: "never" })] }] },
      },
    ],
    [
      "of a PreToolUse hook that says continue: false",
      { hooks: { PreToolUse: [{ hooks: [() => ({ continue: false, stopReason: "never" })] }] } },
    ],
  ])(
    "%s is a denial, no model call follows, and the model is told later that the call was not run",
    async (_, more) => {
      const model = new ScriptedModel(CALL, { text: "went on" });
      const heard: unknown[] = [];
      const hooks: Hooks = { ...more.hooks, PermissionDenied: [{ hooks: [({ reason }) => void heard.push(reason)] }] };
      const { result, steps } = await run(model, { ...more, hooks });
      expect(result).toMatchObject({ subtype: "error_during_execution", message: "never" });
      expect([result.denials.length, model.requests.length, heard]).toEqual([1, 1, ["never"]]);
      const said = JSON.stringify(transcript(steps));
      expect(said).toContain("This call was not run, and the turn was ended: never");
      expect(said).not.toContain("may or may not have taken effect");
    },
  );

  it.each<[string, More]>([
    ["canUseTool", { permissions: NOTHING_ALLOWED, canUseTool: () => ({ behavior: "deny", message: "never" }) }],
    [
      "a PermissionRequest hook",
      {
        permissions: ASK,
        hooks: {
          PermissionRequest: [
            {
              hooks: [
                () => ({
                  hookSpecificOutput: {
                    hookEventName: "PermissionRequest" as const,
                    decision: { behavior: "deny" as const, message: "never" },
                  },
                }),
              ],
            },
          ],
        },
      },
    ],
  ])("is none where %s does not interrupt: the model goes on", async (_, more) => {
    const { result } = await run(new ScriptedModel(CALL, { text: "went on" }), more);
    expect(result).toMatchObject({ subtype: "success", text: "went on", denials: [{ tool_name: "echo" }] });
  });
});

describe("a PermissionDenied hook", () => {
  const denied = (output: object) => ({
    permissions: { ...FULL_ACCESS, mode: "dontAsk" as const, ask: ["echo"] },
    hooks: { PermissionDenied: [{ hooks: [() => output] }] },
  });

  it("can let the model try again, and else it is not told that it may", async () => {
    const retry = denied({ hookSpecificOutput: { hookEventName: "PermissionDenied", retry: true } });
    const again = "You may try again in another way.";
    expect(told((await run(new ScriptedModel(CALL, { text: "ok" }), retry)).steps)).toContain(again);
    expect(told((await run(new ScriptedModel(CALL, { text: "ok" }), denied({}))).steps)).not.toContain(again);
  });

  it("can end the turn", async () => {
    const model = new ScriptedModel(CALL, { text: "went on" });
    const { result } = await run(model, denied({ continue: false, stopReason: "Enough." }));
    expect(result).toMatchObject({ message: "Enough.", denials: [{ tool_name: "echo" }] });
    expect(model.requests).toHaveLength(1);
  });
});
