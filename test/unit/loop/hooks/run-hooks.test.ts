import { describe, expect, it } from "vitest";
import type { PreToolUseHookInput, StopHookInput } from "#shared/loop/hooks/input.ts";
import type { HookCallback, Hooks } from "#shared/loop/hooks/matcher.ts";
import type { HookOutcome } from "#shared/loop/hooks/outcome.ts";
import { runHooks, type HookFailureNotice } from "#shared/loop/hooks/run-hooks.ts";

const BEFORE: PreToolUseHookInput = {
  hook_event_name: "PreToolUse",
  session_id: "s",
  tool_name: "roll_dice",
  tool_input: { sides: 6 },
  tool_use_id: "t1",
};
const STOP: StopHookInput = { hook_event_name: "Stop", session_id: "s", stop_hook_active: false };
const never = new AbortController().signal;
const SILENT: HookOutcome = { systemMessages: [] };

type Before = HookCallback<"PreToolUse">;
type Said = Exclude<Awaited<ReturnType<Before>>, void>["hookSpecificOutput"];
const say =
  (output: Omit<NonNullable<Said>, "hookEventName">): Before =>
  () => ({ hookSpecificOutput: { hookEventName: "PreToolUse", ...output } });
const before = (...hooks: Before[]): Promise<HookOutcome> => runHooks({ PreToolUse: [{ hooks }] }, BEFORE, never);
/** For what no TypeScript would let through. */
const returning = (value: unknown): Before => JSON.parse("[null]").map(() => () => value)[0];

describe("several hooks", () => {
  it.each([
    ["allow", "ask", "ask"],
    ["ask", "defer", "defer"],
    ["defer", "deny", "deny"],
    ["allow", "deny", "deny"],
  ] as const)("that say %s and %s mean %s, whichever comes first", async (one, other, both) => {
    const [first, second] = [one, other].map((permissionDecision) => say({ permissionDecision }));
    if (!first || !second) throw new Error("There are two.");
    expect((await before(first, second)).decision?.behavior).toBe(both);
    expect((await before(second, first)).decision?.behavior).toBe(both);
  });

  it("run side by side: each waits until the other has begun", async () => {
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const waiting =
      (mine: 0 | 1): Before =>
      async () => {
        begun[mine].resolve();
        await begun[mine === 0 ? 1 : 0].promise;
        return { systemMessage: `hook ${mine}` };
      };
    expect((await before(waiting(0), waiting(1))).systemMessages).toEqual(["hook 0", "hook 1"]);
  });

  it("are merged in the order in which they are listed, not in that in which they finish", async () => {
    const second = Promise.withResolvers<void>();
    const slow: Before = async (...args) => {
      await second.promise;
      return say({ updatedInput: { by: "first" }, additionalContext: "one" })(...args);
    };
    const fast: Before = (...args) => {
      second.resolve();
      return say({ updatedInput: { by: "second" }, additionalContext: "two" })(...args);
    };
    expect(await before(slow, fast)).toEqual({
      ...SILENT,
      updatedInput: { by: "second" },
      additionalContext: "one\n\ntwo",
    });
  });

  it("each see the original input, whatever another does to its own", async () => {
    const seen: unknown[] = [];
    const spoil: Before = ({ tool_input }) => {
      seen.push(structuredClone(tool_input));
      Object.assign(Object(tool_input), { sides: 1_000 });
    };
    await before(spoil, spoil);
    expect(seen).toEqual([{ sides: 6 }, { sides: 6 }]);
    expect(BEFORE.tool_input).toEqual({ sides: 6 });
  });
});

describe("a hook", () => {
  it("is called with the input, the id of the tool call and a signal", async () => {
    let called: unknown[] = [];
    await before((...args) => void (called = args));
    expect(called).toEqual([BEFORE, "t1", { signal: expect.any(AbortSignal) }]);
  });

  it("cannot change what it returned once it has returned it", async () => {
    const updatedInput = { to: "somebody" };
    const outcome = await before(say({ updatedInput }));
    updatedInput.to = "somebody else";
    expect(outcome.updatedInput).toEqual({ to: "somebody" });
  });

  it("says nothing by returning nothing or an empty object", async () => {
    expect(
      await before(
        () => undefined,
        () => ({}),
        async () => undefined,
      ),
    ).toEqual(SILENT);
  });

  it.each([
    [
      { decision: "block", reason: "no" },
      { block: "no", decision: { behavior: "deny", reason: "no" } },
    ],
    [{ decision: "block" }, { block: "A PreToolUse hook blocked this." }],
    [{ decision: "approve", reason: "fine" }, { decision: { behavior: "allow", reason: "fine" } }],
    [{ continue: false, stopReason: "enough" }, { stop: "enough" }],
    [{ continue: false }, { stop: "A PreToolUse hook ended the turn." }],
    [{ systemMessage: "note", suppressOutput: true }, { systemMessages: ["note"] }],
  ] as const)("that returns %j leads to %j", async (output, outcome) => {
    expect(await before(() => output)).toMatchObject(outcome);
  });

  it("stops nothing with continue: true", async () => {
    expect(await before(() => ({ continue: true, stopReason: "enough" }))).toEqual(SILENT);
  });
});

describe("a hook that fails", () => {
  const failing: [string, Before, string][] = [
    ["throws", () => Promise.reject(new Error("broken hook")), "broken hook"],
    [
      "throws at once",
      () => {
        throw new Error("broken hook");
      },
      "broken hook",
    ],
    ["hangs", () => new Promise<void>(() => undefined), "longer than 0.01 s"],
    ["returns null", returning(null), "null"],
    ["returns text", returning("allow"), "a string"],
    ["returns a list", returning([]), "an array"],
    ["returns a cycle", returning(cycle()), "circular"],
    ["returns a function", returning(() => undefined), "no JSON"],
    ["answers later", returning({ async: true }), "await the work"],
    ["misspells a field", returning({ permisionDecision: "deny" }), "permisionDecision"],
    ["decides outside of hookSpecificOutput", returning({ permissionDecision: "deny" }), "permissionDecision"],
    ["names another event", returning({ hookSpecificOutput: { hookEventName: "Stop" } }), "PreToolUse"],
    ["has no such decision", returning({ decision: "maybe" }), "decision"],
    [
      "replaces the input with none",
      returning({ hookSpecificOutput: { hookEventName: "PreToolUse", updatedInput: "all" } }),
      "updatedInput",
    ],
  ];

  it.each(failing)("because it %s says nothing by default, and is told of", async (_, hook, reason) => {
    const notices: HookFailureNotice[] = [];
    const hooks: Hooks = { PreToolUse: [{ hooks: [hook], timeout: 0.01 }] };
    const outcome = await runHooks(hooks, BEFORE, never, undefined, (notice) => notices.push(notice));
    expect(outcome).toEqual(SILENT);
    expect(notices).toEqual([{ event: "PreToolUse", reason: expect.stringContaining(reason), blocks: false }]);
  });

  it.each(failing)("because it %s denies the call where its onFailure is block", async (_, hook, reason) => {
    const notices: HookFailureNotice[] = [];
    const hooks: Hooks = { PreToolUse: [{ hooks: [hook], timeout: 0.01, onFailure: "block" }] };
    const outcome = await runHooks(hooks, BEFORE, never, undefined, (notice) => notices.push(notice));
    const block = expect.stringContaining(reason);
    expect(outcome).toEqual({ ...SILENT, block, failed: true, decision: { behavior: "deny", reason: block } });
    expect(notices).toMatchObject([{ blocks: true }]);
  });

  it("takes nothing from what the others said but their consent", async () => {
    const hooks: Hooks = {
      PreToolUse: [
        { hooks: [() => Promise.reject(new Error("broken"))], onFailure: "block" },
        { hooks: [say({ permissionDecision: "allow", additionalContext: "kept" })] },
      ],
    };
    expect(await runHooks(hooks, BEFORE, never)).toMatchObject({
      decision: { behavior: "deny" },
      additionalContext: "kept",
    });
  });

  it.each([STOP, { ...STOP, hook_event_name: "SubagentStop", agent_id: "s~a.1", agent_type: "a" } as const])(
    "does not make an agent go on that stops, even with onFailure block: $hook_event_name",
    async (input) => {
      const broken = { hooks: [() => Promise.reject(new Error("broken"))], onFailure: "block" as const };
      const notices: HookFailureNotice[] = [];
      const hear = (notice: HookFailureNotice) => notices.push(notice);
      expect(await runHooks({ Stop: [broken], SubagentStop: [broken] }, input, never, undefined, hear)).toEqual(SILENT);
      expect(notices).toMatchObject([{ event: input.hook_event_name, blocks: false }]);
    },
  );

  it("is told by its signal that its time is up", async () => {
    const told = Promise.withResolvers<unknown>();
    const hook: Before = (_input, _id, { signal }) =>
      new Promise(() => signal.addEventListener("abort", () => told.resolve(signal.reason)));
    await runHooks({ PreToolUse: [{ hooks: [hook], timeout: 0.01 }] }, BEFORE, never);
    expect(await told.promise).toMatchObject({ message: expect.stringContaining("0.01 s") });
  });

  it("has as long as its timeout says, even where no timer can be as long", async () => {
    const soon = Promise.withResolvers<void>();
    const hook: Before = async () => {
      setTimeout(soon.resolve, 20);
      await soon.promise;
      return { systemMessage: "in time" };
    };
    const hooks: Hooks = { PreToolUse: [{ hooks: [hook], timeout: 1e9 }] };
    expect((await runHooks(hooks, BEFORE, never)).systemMessages).toEqual(["in time"]);
  });
});

describe("a turn that is canceled", () => {
  it("does not wait for its hooks, and no onFailure is asked", async () => {
    const abort = new AbortController();
    const notices: HookFailureNotice[] = [];
    const hang: Before = () => {
      queueMicrotask(() => abort.abort(new Error("canceled")));
      return new Promise<void>(() => undefined);
    };
    const hooks: Hooks = { PreToolUse: [{ hooks: [hang], onFailure: "block" }] };
    const running = runHooks(hooks, BEFORE, abort.signal, undefined, (notice) => notices.push(notice));
    await expect(running).rejects.toThrow("canceled");
    expect(notices).toEqual([]);
  });

  it("begins no hook", async () => {
    let ran = false;
    const hooks: Hooks = { PreToolUse: [{ hooks: [() => void (ran = true)] }] };
    await expect(runHooks(hooks, BEFORE, AbortSignal.abort(new Error("canceled")))).rejects.toThrow("canceled");
    expect(ran).toBe(false);
  });
});

describe("the events' own outputs", () => {
  it("PermissionRequest: deny wins over allow, and a block is a deny", async () => {
    const request = { hook_event_name: "PermissionRequest", session_id: "s", tool_name: "x", tool_input: {} } as const;
    const answer = (decision: { behavior: "allow"; updatedInput?: Record<string, unknown> } | { behavior: "deny" }) => {
      const hook: HookCallback<"PermissionRequest"> = () => ({
        hookSpecificOutput: { hookEventName: "PermissionRequest", decision },
      });
      return hook;
    };
    const ask = async (hooks: Hooks["PermissionRequest"]) =>
      (await runHooks({ ...(hooks && { PermissionRequest: hooks }) }, request, never, "t9")).permissionRequest;
    const allow = answer({ behavior: "allow", updatedInput: { a: 1 } });
    expect(await ask([{ hooks: [allow] }])).toEqual({ behavior: "allow", updatedInput: { a: 1 } });
    expect(await ask([{ hooks: [allow, answer({ behavior: "deny" })] }])).toEqual({ behavior: "deny" });
    expect(await ask([{ hooks: [allow, () => ({ decision: "block", reason: "no" })] }])).toEqual({
      behavior: "deny",
      message: "no",
    });
    let id: string | undefined;
    await ask([{ hooks: [(_input, toolUseID) => void (id = toolUseID)] }]);
    expect(id).toBe("t9");
  });

  it("PermissionDenied: one hook that says retry is enough", async () => {
    const hooks: Hooks = {
      PermissionDenied: [
        { hooks: [() => ({ hookSpecificOutput: { hookEventName: "PermissionDenied", retry: true } }), () => ({})] },
      ],
    };
    const denied = { ...BEFORE, hook_event_name: "PermissionDenied", reason: "no" } as const;
    expect(await runHooks(hooks, denied, never)).toEqual({ ...SILENT, retry: true });
  });

  it("PostToolUse: the last output given replaces the tool's; a block decides nothing about the call", async () => {
    const replace =
      (updatedToolOutput: string): HookCallback<"PostToolUse"> =>
      () => ({
        decision: "block",
        reason: "look again",
        hookSpecificOutput: { hookEventName: "PostToolUse", updatedToolOutput },
      });
    const hooks: Hooks = { PostToolUse: [{ hooks: [replace("one"), replace("two")] }] };
    const after = { ...BEFORE, hook_event_name: "PostToolUse", tool_response: "six" } as const;
    expect(await runHooks(hooks, after, never)).toEqual({ ...SILENT, block: "look again", updatedToolOutput: "two" });
  });

  it("SessionStart: adds context and a first message", async () => {
    const hooks: Hooks = {
      SessionStart: [
        {
          hooks: [
            () => ({
              hookSpecificOutput: { hookEventName: "SessionStart", additionalContext: "c", initialUserMessage: "m" },
            }),
          ],
        },
      ],
    };
    const start = { hook_event_name: "SessionStart", session_id: "s", source: "startup" } as const;
    expect(await runHooks(hooks, start, never)).toEqual({ ...SILENT, additionalContext: "c", initialUserMessage: "m" });
  });

  it("Stop: a block is why the agent has to go on", async () => {
    const hooks: Hooks = { Stop: [{ hooks: [() => ({ decision: "block", reason: "not done" })] }] };
    expect(await runHooks(hooks, STOP, never)).toEqual({ ...SILENT, block: "not done" });
  });
});

function cycle(): unknown {
  const self: Record<string, unknown> = {};
  self["self"] = self;
  return self;
}
