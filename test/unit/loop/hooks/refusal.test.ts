// What hooks return that does not fit: a no in it counts all the same, and what the SDK knows and has no meaning here is no misfit.
import { describe, expect, it } from "vitest";
import type { HookInput } from "#shared/loop/hooks/input.ts";
import { runHooks, type HookFailureNotice } from "#shared/loop/hooks/run-hooks.ts";

const never = new AbortController().signal;
const TOOL = { session_id: "s", tool_name: "pay", tool_input: {}, tool_use_id: "t1" };
const BEFORE = { ...TOOL, hook_event_name: "PreToolUse" } as const;
const REQUEST = { session_id: "s", tool_name: "pay", tool_input: {}, hook_event_name: "PermissionRequest" } as const;

async function heard(input: HookInput, output: unknown, onFailure: "continue" | "block" = "continue") {
  const notices: HookFailureNotice[] = [];
  // SAFETY: not safe on purpose: what no TypeScript would let through.
  const hooks = { [input.hook_event_name]: [{ hooks: [() => output as undefined], onFailure }] };
  const outcome = await runHooks(hooks, input, never, undefined, (notice) => notices.push(notice));
  return { outcome, notices };
}

describe("an output that does not fit", () => {
  it.each<[string, HookInput, object, object]>([
    [
      "a denial",
      BEFORE,
      {
        hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "deny", permissionDecisionReason: "no" },
        somethingNew: 1,
      },
      { decision: { behavior: "deny", reason: "no" } },
    ],
    [
      "a denial beside a misspelt field of its own",
      BEFORE,
      { hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "deny", permisionReason: "no" } },
      { decision: { behavior: "deny" } },
    ],
    [
      "a denial beside what is no JSON",
      BEFORE,
      { hookSpecificOutput: { permissionDecision: "deny", updatedInput: { amount: Infinity } } },
      { decision: { behavior: "deny" } },
    ],
    [
      "a block",
      BEFORE,
      { decision: "block", reason: "no", other: 1 },
      { decision: { behavior: "deny", reason: "no" } },
    ],
    ["the end of the turn", BEFORE, { continue: false, stopReason: "Enough.", other: 1 }, { stop: "Enough." }],
    [
      "a denied request",
      REQUEST,
      {
        hookSpecificOutput: {
          hookEventName: "PermissionRequest",
          decision: { behavior: "deny", message: "no", interrupt: true, updatedInput: {} },
        },
      },
      { permissionRequest: { behavior: "deny", message: "no", interrupt: true } },
    ],
  ])("says no where %s can be read in it, and is reported", async (_, input, output, outcome) => {
    const said = await heard(input, output);
    expect(said.outcome).toMatchObject(outcome);
    expect(said.notices).toMatchObject([{ event: input.hook_event_name, blocks: false }]);
  });

  it.each<[string, HookInput, object]>([
    ["an allow", BEFORE, { hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "allow" } }],
    ["an approval", BEFORE, { decision: "approve" }],
    [
      "an allowed request",
      REQUEST,
      { hookSpecificOutput: { hookEventName: "PermissionRequest", decision: { behavior: "allow" } } },
    ],
    ["a changed input", BEFORE, { hookSpecificOutput: { hookEventName: "PreToolUse", updatedInput: { to: "x" } } }],
  ])("never says yes, nor anything else: %s in it counts for nothing", async (_, input, output) => {
    const said = await heard(input, { ...output, somethingNew: 1 });
    expect(said.outcome).toEqual({ systemMessages: [] });
    expect(said.notices).toHaveLength(1);
  });

  it("ends the turn as it says, though its onFailure blocks", async () => {
    const said = await heard(BEFORE, { continue: false, stopReason: "Enough.", other: 1 }, "block");
    expect(said.outcome).toMatchObject({ stop: "Enough.", failed: true, decision: { behavior: "deny" } });
  });

  it("may throw when it is looked at, and then says nothing", async () => {
    const output = {
      get decision() {
        throw new Error("nested");
      },
    };
    const said = await heard(BEFORE, output);
    expect([said.outcome, said.notices.length]).toEqual([{ systemMessages: [] }, 1]);
  });
});

it.each<[HookInput, object]>([
  [BEFORE, { suppressOutput: true, terminalSequence: "\u001b]0;x" }],
  [
    { ...TOOL, hook_event_name: "PostToolUse", tool_response: "" },
    { hookSpecificOutput: { updatedMCPToolOutput: {} } },
  ],
  [REQUEST, { hookSpecificOutput: { decision: { behavior: "allow", updatedPermissions: [{ type: "addRules" }] } } }],
  [
    { session_id: "s", hook_event_name: "SessionStart", source: "startup" },
    { hookSpecificOutput: { sessionTitle: "t", watchPaths: ["/x"] } },
  ],
  [
    { session_id: "s", hook_event_name: "UserPromptSubmit", prompt: "" },
    { hookSpecificOutput: { sessionTitle: "t", suppressOriginalPrompt: true } },
  ],
])("fields of the SDK that mean nothing here are taken and ignored: $1", async (input, output) => {
  const specific = "hookSpecificOutput" in output ? output.hookSpecificOutput : undefined;
  const whole = specific
    ? { hookSpecificOutput: { hookEventName: input.hook_event_name, ...Object(specific) } }
    : output;
  expect((await heard(input, whole)).notices).toEqual([]);
});
