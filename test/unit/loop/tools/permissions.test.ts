import { describe, expect, it } from "vitest";
import { askCanUseTool, type CanUseTool } from "#shared/loop/tools/can-use-tool.ts";
import {
  decidePermission,
  offered,
  offeredUnasked,
  ruleFits,
  type Permissions,
} from "#shared/loop/tools/permissions.ts";
import { findAgents } from "#shared/tools/find-agents.ts";
import { queryAgent } from "#shared/tools/query-agent.ts";

const NONE: Permissions = { preset: "custom", mode: "default", allow: null, ask: [], deny: [] };
const READ = { name: "read_page", annotations: { readOnly: true, idempotent: true } };
const SEND = { name: "send_mail", annotations: { readOnly: false, idempotent: false } };
const ASK = { name: "query_agent", annotations: { readOnly: false, idempotent: false, communication: true as const } };

type Hook = "allow" | "deny" | "ask" | "defer";
const judge = (permissions: Partial<Permissions>, hook?: Hook, canUseTool = false, tool = SEND) => {
  const hookDecision = hook && { behavior: hook };
  const { behavior, by } = decidePermission({
    permissions: { ...NONE, ...permissions },
    tool,
    hookDecision,
    canUseTool,
  });
  return `${behavior} by ${by}`;
};

describe("the order of permissions", () => {
  const rule = [SEND.name];
  // Each row fits two neighbours in the order, and the earlier one decides.
  it.each<[string, Partial<Permissions>, Hook | undefined, string]>([
    ["a hook's denial before deny", { deny: rule }, "deny", "deny by hook"],
    ["a hook's denial before ask", { ask: rule }, "deny", "deny by hook"],
    ["a hook's denial before allow", { allow: rule }, "deny", "deny by hook"],
    ["deny before a hook's consent", { deny: rule }, "allow", "deny by deny"],
    ["deny before a hook's question", { deny: rule }, "ask", "deny by deny"],
    ["deny before ask", { deny: rule, ask: rule }, undefined, "deny by deny"],
    ["deny before the mode", { deny: rule, mode: "bypassPermissions" }, undefined, "deny by deny"],
    ["deny before allow", { deny: rule, allow: rule }, undefined, "deny by deny"],
    ["ask before a hook's consent", { ask: rule }, "allow", "ask by ask"],
    ["ask before the mode", { ask: rule, mode: "bypassPermissions" }, undefined, "ask by ask"],
    ["ask before plan", { ask: rule, mode: "plan" }, undefined, "ask by ask"],
    ["ask before allow", { ask: rule, allow: rule }, undefined, "ask by ask"],
    ["a hook's question before the mode", { mode: "bypassPermissions" }, "ask", "ask by hook"],
    ["a hook's question before allow", { allow: rule }, "ask", "ask by hook"],
    ["a hook's deferral is a question", { allow: rule }, "defer", "ask by hook"],
    ["a hook's consent before the mode", { mode: "plan" }, "allow", "allow by hook"],
    ["a hook's consent before dontAsk", { mode: "dontAsk" }, "allow", "allow by hook"],
    ["the mode before allow: plan", { mode: "plan", allow: rule }, undefined, "deny by mode"],
    ["the mode before allow: bypass", { mode: "bypassPermissions", allow: rule }, undefined, "allow by mode"],
    ["the mode before canUseTool: bypass", { mode: "bypassPermissions" }, undefined, "allow by mode"],
    ["the mode before canUseTool: dontAsk", { mode: "dontAsk" }, undefined, "deny by mode"],
    ["allow before canUseTool", { allow: rule }, undefined, "allow by allow"],
    ["canUseTool last", {}, undefined, "canUseTool by canUseTool"],
  ])("%s", (_, permissions, hook, expected) => {
    expect(judge(permissions, hook, true)).toBe(expected);
  });

  it("ends with a question where the agent has no canUseTool", () => {
    expect(judge({})).toBe("ask by canUseTool");
  });
});

describe("the mode", () => {
  it("dontAsk makes a denial of every question, and lets through only what is allowed", () => {
    expect(judge({ mode: "dontAsk", ask: ["send_mail"], allow: ["send_mail"] })).toBe("deny by ask");
    expect(judge({ mode: "dontAsk", allow: ["send_mail"] }, "ask")).toBe("deny by ask");
    expect(judge({ mode: "dontAsk", allow: ["send_mail"] }, "defer")).toBe("deny by ask");
    expect(judge({ mode: "dontAsk", allow: ["send_mail"] })).toBe("allow by allow");
    expect(judge({ mode: "dontAsk", preset: "full_access" })).toBe("allow by allow");
    expect(judge({ mode: "dontAsk" })).toBe("deny by mode");
  });

  it("plan lets tools that change nothing go on, to allow and to a question", () => {
    expect(judge({ mode: "plan", preset: "full_access" }, undefined, false, READ)).toBe("allow by allow");
    expect(judge({ mode: "plan" }, undefined, false, READ)).toBe("ask by canUseTool");
  });

  it("plan tells the model to describe what it would do", () => {
    const { reason } = decidePermission({ permissions: { ...NONE, mode: "plan", preset: "full_access" }, tool: SEND });
    expect(reason).toContain("say what you would do");
  });
});

describe("the reason", () => {
  it("is the hook's own, where it gave one", () => {
    for (const behavior of ["deny", "ask", "allow"] as const) {
      const hookDecision = { behavior, reason: "the hook's words" };
      expect(decidePermission({ permissions: NONE, tool: SEND, hookDecision }).reason).toBe("the hook's words");
    }
  });
});

describe("a preset", () => {
  const tools = [READ, SEND, ASK];
  const shown = (permissions: Partial<Permissions>) =>
    offered({ ...NONE, ...permissions }, tools).map(({ name }) => name);

  it.each([
    ["full_access", ["read_page", "send_mail", "query_agent"]],
    ["custom", ["read_page", "send_mail", "query_agent"]],
    ["read_only", ["read_page"]],
    ["communication_only", ["query_agent"]],
  ] as const)("%s shows the model %j", (preset, names) => {
    expect(shown({ preset })).toEqual(names);
  });

  it("allows what it shows, but custom allows only what its list names", () => {
    expect(judge({ preset: "full_access" })).toBe("allow by allow");
    expect(judge({ preset: "read_only" }, undefined, false, READ)).toBe("allow by allow");
    expect(judge({ preset: "communication_only" }, undefined, false, ASK)).toBe("allow by allow");
    expect(judge({ preset: "custom" }, undefined, false, READ)).toBe("ask by canUseTool");
  });

  it("takes away what it does not show, so that no hook, question or mode brings it back", () => {
    for (const preset of ["read_only", "communication_only"] as const) {
      expect(judge({ preset }, "allow")).toBe("deny by deny");
      expect(judge({ preset, ask: ["send_mail"] })).toBe("deny by deny");
      expect(judge({ preset, mode: "bypassPermissions" })).toBe("deny by deny");
    }
  });

  it("is added to by allow, and then deny still wins", () => {
    expect(shown({ preset: "read_only", allow: ["send_mail"] })).toEqual(["read_page", "send_mail"]);
    expect(judge({ preset: "read_only", allow: ["send_mail"] })).toBe("allow by allow");
    expect(shown({ preset: "read_only", allow: ["send_mail"], deny: ["send_*"] })).toEqual(["read_page"]);
  });

  it("goes by what a tool says of itself, not by its name", () => {
    const delete_all = { name: "delete_all", annotations: { readOnly: true, idempotent: true } };
    expect(judge({ preset: "read_only" }, undefined, false, delete_all)).toBe("allow by allow");
    const query = { name: "query_agent", annotations: { readOnly: false, idempotent: false } };
    expect(judge({ preset: "communication_only" }, undefined, false, query)).toBe("deny by deny");
  });

  it("communication_only keeps the tools for asking other agents", () => {
    expect(offered({ ...NONE, preset: "communication_only" }, [findAgents, queryAgent([]), SEND])).toHaveLength(2);
  });
});

describe("a rule", () => {
  it.each([
    ["send_mail", "send_mail", true],
    ["send_mail", "send_mail_now", false],
    ["send_*", "send_mail", true],
    ["send_*", "resend_mail", false],
    ["*", "anything", true],
    ["send.mail", "send_mail", false],
    ["Send_mail", "send_mail", false],
  ])("%s fits %s: %s", (rule, name, fits) => expect(ruleFits(rule, name)).toBe(fits));
});

describe("a tool that the model's API runs", () => {
  it.each<[Partial<Permissions>, boolean]>([
    [{ preset: "full_access" }, true],
    [{ preset: "read_only" }, false],
    [{ preset: "read_only", allow: ["web_search"] }, true],
    [{ preset: "full_access", deny: ["web_search"] }, false],
    [{ preset: "full_access", ask: ["web_search"] }, false],
    [{ preset: "custom" }, false],
    [{ preset: "custom", mode: "bypassPermissions" }, true],
    [{ preset: "full_access", mode: "plan" }, false],
  ])("is shown with %j only where it may run unasked: %s", (permissions, shown) => {
    expect(offeredUnasked({ ...NONE, ...permissions }, "web_search")).toBe(shown);
  });
});

describe("canUseTool", () => {
  const signal = new AbortController().signal;
  const call = { tool: "send_mail", input: { to: "a" }, toolUseId: "t1" };

  it("is called with the tool's name, its input and the call's id", async () => {
    let called: unknown[] = [];
    const result = await askCanUseTool(
      (...args) => {
        called = args;
        return { behavior: "allow", updatedInput: { to: "b" } };
      },
      call,
      signal,
    );
    expect(called).toEqual(["send_mail", { to: "a" }, { signal, toolUseID: "t1" }]);
    expect(result).toEqual({ behavior: "allow", updatedInput: { to: "b" } });
  });

  it("cannot change the input but by saying so", async () => {
    const meddle: CanUseTool = (_, input) => {
      input["to"] = "somebody else";
      return { behavior: "allow" };
    };
    expect(await askCanUseTool(meddle, call, signal)).toEqual({ behavior: "allow" });
    expect(call.input).toEqual({ to: "a" });
  });

  const garbage = (value: unknown): CanUseTool => JSON.parse("[null]").map(() => () => value)[0];
  it.each<[string, CanUseTool]>([
    ["throws", () => Promise.reject(new Error("broken"))],
    ["returns nothing", garbage(undefined)],
    ["returns true", garbage(true)],
    ["makes up a behavior", garbage({ behavior: "yes" })],
    ["denies without a message", garbage({ behavior: "deny" })],
  ])("that %s is a no", async (_, canUseTool) => {
    expect(await askCanUseTool(canUseTool, call, signal)).toEqual({
      behavior: "deny",
      message: expect.stringContaining("canUseTool failed"),
    });
  });

  it("that hangs ends with the turn", async () => {
    const abort = new AbortController();
    const asking = askCanUseTool(
      () => {
        queueMicrotask(() => abort.abort(new Error("canceled")));
        return new Promise(() => undefined);
      },
      call,
      abort.signal,
    );
    await expect(asking).rejects.toThrow("canceled");
  });
});
