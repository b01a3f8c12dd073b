// Inputs that an agent's hooks, or its canUseTool, put in place of the model's: from then on they alone are asked about, bound and run.
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { HookCallback, Hooks } from "#shared/loop/hooks/matcher.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { FULL_ACCESS, run, runToRest, ScriptedModel } from "../scripted.ts";

const CALL = { calls: [{ id: "p", name: "pay", json: '{"amount":5}' }] };
const ASK = { ...FULL_ACCESS, ask: ["pay"] };

function paying() {
  const paid: number[] = [];
  const input = z.object({ amount: z.number() });
  const annotations = { readOnly: false, idempotent: false };
  const pay = ({ amount }: z.output<typeof input>) => {
    paid.push(amount);
    return "Paid.";
  };
  return { paid, tools: [defineTool({ name: "pay", description: "Pays", input, annotations, run: pay })] };
}

const changing: Hooks = {
  PreToolUse: [
    { hooks: [() => ({ hookSpecificOutput: { hookEventName: "PreToolUse", updatedInput: { amount: 6 } } })] },
  ],
};
const permit = (decision: { behavior: "allow"; updatedInput?: Record<string, unknown> } | { behavior: "deny" }) => {
  const hook: HookCallback<"PermissionRequest"> = () => ({
    hookSpecificOutput: { hookEventName: "PermissionRequest", decision },
  });
  return { PermissionRequest: [{ hooks: [hook] }] };
};

describe("what a PreToolUse hook made of an input", () => {
  it("is what a person is asked about, what the approval is bound to, and what runs after a yes", async () => {
    const { paid, tools } = paying();
    const more = { tools, permissions: ASK, hooks: changing };
    const { result, steps } = await runToRest(new ScriptedModel(CALL), more);
    if (result.subtype !== "suspended") throw new Error("It did not wait.");
    const [approval] = result.approvals;
    expect(approval?.input).toEqual({ amount: 6 });
    const answer: Step = { kind: "approval_answer", id: approval?.id ?? "", decision: "allow", by: "client" };
    // Hooks are not asked again about what was approved.
    const unchanged = { tools, permissions: ASK };
    await run(new ScriptedModel({ text: "ok" }), { ...unchanged, steps: [...steps, answer], life: 2 });
    expect(paid).toEqual([6]);
  });

  it("cannot be approved by what would approve the model's own: another input has another id", async () => {
    const { tools } = paying();
    const idOf = async (hooks: Hooks) => {
      const { result } = await runToRest(new ScriptedModel(CALL), { tools, permissions: ASK, hooks });
      return result.subtype === "suspended" ? result.approvals[0]?.id : undefined;
    };
    const [own, changed] = [await idOf({}), await idOf(changing)];
    expect(own).toBeTruthy();
    expect(changed).not.toBe(own);
  });

  it("is what PermissionRequest hooks and the job's policy decide on", async () => {
    const { paid, tools } = paying();
    const heard: unknown[] = [];
    const listen: HookCallback<"PermissionRequest"> = ({ tool_input }) => void heard.push(tool_input);
    const hooks = { ...changing, PermissionRequest: [{ hooks: [listen] }] };
    const policy = [{ tool: "pay", input: { amount: ["6"] }, decision: "allow" as const }];
    await run(new ScriptedModel(CALL, { text: "ok" }), { tools, permissions: ASK, hooks, policy });
    expect([heard, paid]).toEqual([[{ amount: 6 }], [6]]);
  });
});

it("what canUseTool made of an input is what runs", async () => {
  const { paid, tools } = paying();
  const permissions = { ...FULL_ACCESS, preset: "custom", allow: [] } as const;
  await run(new ScriptedModel(CALL, { text: "ok" }), {
    tools,
    permissions: { ...permissions, allow: [] },
    canUseTool: () => ({ behavior: "allow", updatedInput: { amount: 7 } }),
  });
  expect(paid).toEqual([7]);
});

describe("a PermissionRequest hook is asked before the job's policy", () => {
  it("so that its no counts though the policy would allow", async () => {
    const { paid, tools } = paying();
    const policy = [{ tool: "pay", decision: "allow" as const }];
    const more = { tools, permissions: ASK, hooks: permit({ behavior: "deny" }), policy };
    const { steps } = await run(new ScriptedModel(CALL, { text: "ok" }), more);
    expect(paid).toEqual([]);
    expect(steps.map(({ kind }) => kind)).not.toContain("approval");
  });

  it("and its yes though the policy would deny, with the input that it gives", async () => {
    const { paid, tools } = paying();
    const policy = [{ tool: "pay", decision: "deny" as const }];
    const hooks = permit({ behavior: "allow", updatedInput: { amount: 8 } });
    await run(new ScriptedModel(CALL, { text: "ok" }), { tools, permissions: ASK, hooks, policy });
    expect(paid).toEqual([8]);
  });
});
