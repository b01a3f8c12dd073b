// Where in a turn each hook runs, and what its words do there.
import { expect, it } from "vitest";
import type { HookCallback, Hooks } from "#shared/loop/hooks/matcher.ts";
import type { HookEvent } from "#shared/loop/hooks/input.ts";
import { transcript } from "#shared/loop/log/conversation.ts";
import { ModelError } from "#shared/models/model.ts";
import { FULL_ACCESS, run, runToRest, ScriptedModel } from "./scripted.ts";

const echo = (text: string) => ({ calls: [{ id: "t1", name: "echo", json: JSON.stringify({ text }) }] });

/** Hooks for all events that only remember what they were told. */
function listening() {
  const heard: { hook_event_name: string; [field: string]: unknown }[] = [];
  const listen: HookCallback = (input) => void heard.push({ ...input });
  const events: readonly HookEvent[] = [
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "PermissionRequest",
    "PermissionDenied",
    "UserPromptSubmit",
    "SessionStart",
    "Stop",
    "StopFailure",
    "PreCompact",
    "PostCompact",
    "Notification",
  ];
  const hooks: Hooks = Object.fromEntries(events.map((event) => [event, [{ hooks: [listen] }]]));
  return { heard, hooks, names: () => heard.map(({ hook_event_name }) => hook_event_name) };
}

it("a turn with a tool tells of its beginning, its call, the batch and its end, in order, each with session and agent", async () => {
  const { heard, hooks, names } = listening();
  await run(new ScriptedModel(echo("x"), { text: "done" }), { hooks, sessionStart: "startup" });
  expect(names()).toEqual(["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolBatch", "Stop"]);
  for (const input of heard)
    expect(input).toMatchObject({ session_id: "context", agent_type: "tester", permission_mode: "default" });
  expect(heard.find(({ hook_event_name }) => hook_event_name === "PostToolBatch")).toMatchObject({
    tool_calls: [{ tool_name: "echo", tool_use_id: "t1", tool_input: { text: "x" }, tool_response: "x" }],
  });
  expect(heard.at(-1)).toMatchObject({ stop_hook_active: false, last_assistant_message: "done" });
});

it("a tool that fails, a call that is denied and a call that is asked about have hooks of their own", async () => {
  const { heard, hooks, names } = listening();
  const bad = { calls: [{ id: "t1", name: "echo", json: '{"text": 5}' }] };
  await run(new ScriptedModel(bad, { text: "ok" }), { hooks });
  expect(names()).toContain("PostToolUseFailure");
  heard.length = 0;
  await run(new ScriptedModel(echo("x"), { text: "ok" }), {
    hooks,
    permissions: { ...FULL_ACCESS, mode: "dontAsk", ask: ["echo"] },
  });
  expect(names()).toContain("PermissionDenied");
  heard.length = 0;
  await runToRest(new ScriptedModel(echo("x")), { hooks, permissions: { ...FULL_ACCESS, ask: ["echo"] } });
  expect(names()).toEqual(["UserPromptSubmit", "PreToolUse", "PermissionRequest", "Notification"]);
  expect(heard.at(-1)).toMatchObject({ notification_type: "permission_prompt" });
});

it("a PermissionRequest hook can answer what a person would be asked", async () => {
  const answer = (behavior: "allow" | "deny") => ({
    PermissionRequest: [
      {
        hooks: [
          () => ({
            hookSpecificOutput: {
              hookEventName: "PermissionRequest" as const,
              decision:
                behavior === "allow" ? { behavior, updatedInput: { text: "changed" } } : { behavior, message: "never" },
            },
          }),
        ],
      },
    ],
  });
  const permissions = { ...FULL_ACCESS, ask: ["echo"] };
  const allowed = await run(new ScriptedModel(echo("x"), { text: "ok" }), { permissions, hooks: answer("allow") });
  expect(JSON.stringify(transcript(allowed.steps))).toContain('"content":"changed"');
  const denied = await run(new ScriptedModel(echo("x"), { text: "ok" }), { permissions, hooks: answer("deny") });
  expect(denied.result.denials).toMatchObject([{ tool_name: "echo" }]);
  expect(JSON.stringify(transcript(denied.steps))).toContain("never");
});

it("UserPromptSubmit can refuse a message: no model call is made, and the model never sees it, then or later", async () => {
  const hooks: Hooks = { UserPromptSubmit: [{ hooks: [() => ({ decision: "block", reason: "not here" })] }] };
  const model = new ScriptedModel();
  const { result, steps } = await run(model, { hooks });
  expect(result).toMatchObject({ subtype: "error_during_execution", message: "not here" });
  expect(model.requests).toEqual([]);
  const next = new ScriptedModel({ text: "hello" });
  await run(next, { steps: [...steps, { kind: "user", text: "second" }] });
  expect(JSON.stringify(next.requests[0]?.messages)).not.toContain('"hi"');
});

it.each(["PostToolUse", "PostToolBatch"] as const)(
  "%s too can end the turn, with the results in the log",
  async (event) => {
    const hooks: Hooks = { [event]: [{ hooks: [() => ({ continue: false, stopReason: "Enough." })] }] };
    const { result, steps } = await run(new ScriptedModel(echo("x")), { hooks });
    expect(result).toMatchObject({ subtype: "error_during_execution", message: "Enough." });
    expect(steps.slice(-2)).toMatchObject([
      { kind: "tool_result", content: "x" },
      { kind: "stopped", reason: "Enough." },
    ]);
  },
);

it("what hooks add at the beginning stands beside the message, and is not asked for again in another life", async () => {
  let calls = 0;
  const add = (): { hookSpecificOutput: { hookEventName: "UserPromptSubmit"; additionalContext: string } } => {
    calls++;
    return { hookSpecificOutput: { hookEventName: "UserPromptSubmit", additionalContext: "It is Monday." } };
  };
  const hooks: Hooks = { UserPromptSubmit: [{ hooks: [add] }] };
  const model = new ScriptedModel({ text: "ok" });
  const { steps } = await run(model, { hooks });
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("It is Monday.");
  await run(new ScriptedModel({ text: "ok" }), { hooks, steps: steps.slice(0, 2), life: 2 });
  expect(calls).toBe(1);
});

it("a UserPromptSubmit hook that says continue: false ends the turn before any model call", async () => {
  const hooks: Hooks = { UserPromptSubmit: [{ hooks: [() => ({ continue: false, stopReason: "Enough." })] }] };
  const model = new ScriptedModel();
  expect((await run(model, { hooks })).result).toMatchObject({ message: "Enough." });
  expect(model.requests).toEqual([]);
});

it("a SessionStart hook's initialUserMessage stands before the person's message, as if it were theirs; its context after it", async () => {
  const start: HookCallback<"SessionStart"> = () => ({
    hookSpecificOutput: {
      hookEventName: "SessionStart",
      initialUserMessage: "I am Ada.",
      additionalContext: "Monday.",
    },
  });
  const model = new ScriptedModel({ text: "hello" }, { text: "again" });
  const hooks: Hooks = { SessionStart: [{ hooks: [start] }] };
  const { steps } = await run(model, { hooks, sessionStart: "startup" });
  const said = [{ text: "I am Ada." }, { text: "hi" }, { text: "<note>\nMonday.\n</note>" }];
  expect(model.requests[0]?.messages).toMatchObject([{ role: "user", content: said }]);
  const next = await run(model, { steps: [...steps, { kind: "user", text: "and now?" }] });
  expect(transcript(next.steps)[0]).toMatchObject({ content: said });
});

it("a Stop hook's context alone sends the model on, too: it is there to be acted on", async () => {
  let asked = 0;
  const stop: HookCallback<"Stop"> = () =>
    asked++ === 0 ? { hookSpecificOutput: { hookEventName: "Stop", additionalContext: "Check the sums." } } : undefined;
  const model = new ScriptedModel({ text: "first" }, { text: "second" });
  const { result } = await run(model, { hooks: { Stop: [{ hooks: [stop] }] } });
  expect(result).toMatchObject({ subtype: "success", text: "second" });
  expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain("Check the sums.");
});

it("a Stop hook can send the model on, and hears that it did", async () => {
  const active: boolean[] = [];
  const stop: HookCallback<"Stop"> = ({ stop_hook_active }) => {
    active.push(stop_hook_active);
    return stop_hook_active ? undefined : { decision: "block", reason: "Name your sources." };
  };
  const model = new ScriptedModel({ text: "first" }, { text: "second" });
  const { result } = await run(model, { hooks: { Stop: [{ hooks: [stop] }] } });
  expect(result).toMatchObject({ subtype: "success", text: "second" });
  expect(active).toEqual([false, true]);
  expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain("Name your sources.");
});

it("a turn that fails tells StopFailure, and not Stop", async () => {
  const { hooks, names, heard } = listening();
  const error = new ModelError("unauthorized", "The key is wrong.");
  await run(new ScriptedModel({ error }), { hooks });
  expect(names()).toEqual(["UserPromptSubmit", "StopFailure"]);
  expect(heard.at(-1)).toMatchObject({ error: "authentication_failed", error_details: "The key is wrong." });
});

it("a hook that says continue: false ends the turn with its reason, and leaves the transcript whole", async () => {
  const hooks: Hooks = { PreToolUse: [{ hooks: [() => ({ continue: false, stopReason: "Enough." })] }] };
  const { result, steps } = await run(new ScriptedModel(echo("x")), { hooks });
  expect(result).toMatchObject({ subtype: "error_during_execution", message: "Enough." });
  const [, , answer] = transcript(steps);
  expect(answer).toMatchObject({ role: "user", content: [{ type: "tool_result", tool_use_id: "t1" }] });
});

it("what a hook adds to a tool's result reaches the model after the results", async () => {
  const add: HookCallback<"PostToolUse"> = () => ({
    hookSpecificOutput: { hookEventName: "PostToolUse", additionalContext: "Mind the units." },
  });
  const model = new ScriptedModel(echo("x"), { text: "ok" });
  await run(model, { hooks: { PostToolUse: [{ hooks: [add] }] } });
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({
    content: [
      { type: "tool_result", content: "x" },
      { type: "text", text: "<note>\nMind the units.\n</note>" },
    ],
  });
});

it("a canUseTool of the agent decides on what no rule names, and a broken one denies", async () => {
  const permissions = { ...FULL_ACCESS, preset: "custom", allow: [] } as const;
  const tried = async (canUseTool: NonNullable<Parameters<typeof run>[1]>["canUseTool"]) =>
    run(new ScriptedModel(echo("x"), { text: "ok" }), { permissions: { ...permissions, allow: [] }, canUseTool });
  expect((await tried(() => ({ behavior: "allow" }))).result.denials).toEqual([]);
  expect((await tried(() => ({ behavior: "deny", message: "no" }))).result.denials).toHaveLength(1);
  const broken = await tried(() => {
    throw new Error("broken");
  });
  expect(broken.result.denials).toHaveLength(1);
});
