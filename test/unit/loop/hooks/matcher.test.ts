import { describe, expect, it } from "vitest";
import { baseHookInput, type HookInput } from "#shared/loop/hooks/input.ts";
import { checkHooks, matches, type Hooks } from "#shared/loop/hooks/matcher.ts";
import { HOOK_EVENTS } from "#shared/loop/hooks/output.ts";

const base = { session_id: "s" };
const call = { ...base, tool_name: "web_search", tool_input: {}, tool_use_id: "t" };
const tool = (tool_name: string): HookInput => ({ ...call, hook_event_name: "PreToolUse", tool_name });

describe("a matcher", () => {
  it.each([
    [undefined, "web_search", true],
    ["", "web_search", true],
    ["*", "web_search", true],
    ["web_search", "web_search", true],
    ["web_search", "my_web_search", false],
    ["web_search", "web_search_2", false],
    ["web", "web_search", false],
    ["fetch|web_search", "web_search", true],
    ["fetch, web_search", "web_search", true],
    ["fetch|web", "web_search", false],
    ["web_.*", "web_search", true],
    ["web_.*", "my_web_search", true],
    ["^web_.*", "my_web_search", false],
    ["web_.*|fetch", "fetch", true],
    ["web_.*|fetch", "fetch_url", true],
    ["^(web_.*|fetch)$", "fetch_url", false],
    [".*_search", "web_search", true],
    ["^web", "web_search", true],
    ["^web", "my_web_search", false],
    ["^web.*", "web_search", true],
    ["web.search", "web_search", true],
    ["Web_search", "web_search", false],
  ])("%j fits the tool %s: %s", (matcher, name, fits) => {
    expect(matches(matcher, tool(name))).toBe(fits);
  });

  const subjects: [HookInput, string][] = [
    [{ ...call, hook_event_name: "PreToolUse" }, "web_search"],
    [{ ...call, hook_event_name: "PostToolUse", tool_response: "" }, "web_search"],
    [{ ...call, hook_event_name: "PostToolUseFailure", error: "x" }, "web_search"],
    [{ ...call, hook_event_name: "PermissionDenied", reason: "x" }, "web_search"],
    [{ ...base, hook_event_name: "PermissionRequest", tool_name: "web_search", tool_input: {} }, "web_search"],
    [{ ...base, hook_event_name: "SessionStart", source: "resume" }, "resume"],
    [{ ...base, hook_event_name: "SessionEnd", reason: "other" }, "other"],
    [{ ...base, hook_event_name: "StopFailure", error: "rate_limit" }, "rate_limit"],
    [{ ...base, hook_event_name: "SubagentStart", agent_id: "s~a.1", agent_type: "searcher" }, "searcher"],
    [
      { ...base, hook_event_name: "SubagentStop", agent_id: "s~a.1", agent_type: "searcher", stop_hook_active: false },
      "searcher",
    ],
    [{ ...base, hook_event_name: "PreCompact", trigger: "auto", custom_instructions: null }, "auto"],
    [{ ...base, hook_event_name: "PostCompact", trigger: "manual", compact_summary: "" }, "manual"],
    [
      { ...base, hook_event_name: "Notification", message: "", notification_type: "permission_prompt" },
      "permission_prompt",
    ],
  ];
  const unmatched: HookInput[] = [
    { ...base, hook_event_name: "PostToolBatch", tool_calls: [] },
    { ...base, hook_event_name: "UserPromptSubmit", prompt: "hi" },
    { ...base, hook_event_name: "Stop", stop_hook_active: false },
  ];

  it.each(subjects)("is held against what the event is about: %j", (input, subject) => {
    expect(matches(subject, input)).toBe(true);
    expect(matches("something_else", input)).toBe(false);
  });

  it.each(unmatched)("has no say at $hook_event_name, which is about nothing", (input) => {
    expect(matches("something_else", input)).toBe(true);
  });

  it("is tried here for every event there is", () => {
    const tried = [...subjects.map(([input]) => input), ...unmatched].map(({ hook_event_name }) => hook_event_name);
    expect(tried.toSorted()).toEqual(HOOK_EVENTS.toSorted());
  });
});

describe("an agent's definition is refused", () => {
  const hooks = [() => undefined];
  it.each([
    ["a matcher that is no regular expression", { PreToolUse: [{ matcher: "web_(", hooks }] }, '"web_("'],
    ["one that is one only between brackets", { PreToolUse: [{ matcher: "a)|(b", hooks }] }, "regular expression"],
    ["one that names nothing", { PreToolUse: [{ matcher: " | ", hooks }] }, "names nothing"],
    ["a timeout of nothing", { Stop: [{ timeout: 0, hooks }] }, "seconds above 0"],
    ["a timeout that is no number", { Stop: [{ timeout: Number.NaN, hooks }] }, "seconds above 0"],
  ] as [string, Hooks, string][])("with %s", (_, given, message) => {
    expect(() => checkHooks(given)).toThrow(message);
  });

  it("with an event that does not exist, and the nearest one is offered", () => {
    const misspelt: Hooks = JSON.parse('{"PreToolUsage": []}');
    expect(() => checkHooks(misspelt)).toThrow('There is no hook event PreToolUsage. Did you mean "PreToolUse"?');
  });

  it("by no more than what is wrong: every form of matcher is taken", () => {
    const matchers = ["", "*", "a", "a|b", "a, b", "web_.*"].map((matcher) => ({ matcher, hooks, timeout: 0.5 }));
    expect(() => checkHooks({ PreToolUse: matchers })).not.toThrow();
  });
});

describe("what every hook is told", () => {
  const about = { taskId: "s.1.mac", agent: "searcher", mode: "plan" } as const;
  it("names the session, the task, the agent and its mode", () => {
    expect(baseHookInput({ ...about, contextId: "s" })).toEqual({
      session_id: "s",
      prompt_id: "s.1.mac",
      permission_mode: "plan",
      agent_type: "searcher",
    });
  });
  it("names the thread only where another agent opened it, and the session is the same", () => {
    const told = baseHookInput({ ...about, contextId: "s~lead.1~reader.2" });
    expect(told).toMatchObject({ session_id: "s", agent_id: "s~lead.1~reader.2" });
  });
});
