// A message that answered approvals and comes again is known by its answers, whatever their words.
import { describe, expect, it } from "vitest";
import { textPart } from "#shared/a2a/message.ts";
import { repetition } from "#shared/agent/session/approvals/answers.ts";
import type { Step } from "#shared/loop/log/step.ts";

const asking = (id: string): Step => ({
  kind: "approval",
  toolUseId: `call ${id}`,
  approval: { id, agent: "a", tool: "pay", input: {}, reason: "It pays.", expiresAt: 1 },
  askedAt: 0,
  spanId: "0000000000000001",
});
const answer = (id: string, messageId: string, more: object = {}): Step => ({
  kind: "approval_answer",
  id,
  decision: "allow",
  by: "client",
  messageId,
  ...more,
});
const BOTH = [asking("aaa"), asking("bbb")];
const said = (own: readonly Step[], text: string) => repetition(own, "m", [textPart(text)]);

describe("a message whose id has answered", () => {
  const own = [...BOTH, answer("aaa", "m"), answer("bbb", "m")];

  it.each(["yes", "allow", "allow bbb aaa"])("both approvals is the same when it says %j", (text) => {
    expect(said(own, text)).toBe("same");
  });

  it.each(["no", "allow aaa", "deny aaa bbb", "", "allow ccc"])("both is another when it says %j", (text) => {
    expect(said(own, text)).toBe("other");
  });

  it("one of two is another when it answers both now", () => {
    expect(said([...BOTH, answer("aaa", "m"), answer("bbb", "later")], "yes")).toBe("other");
    expect(said([...BOTH, answer("aaa", "m"), answer("bbb", "later")], "allow aaa")).toBe("same");
  });

  it("what was left after another message is the same when it says so again", () => {
    const left = answer("bbb", "m", { decision: "deny" });
    expect(said([...BOTH, answer("aaa", "earlier"), left], "no")).toBe("same");
    expect(said([...BOTH, answer("aaa", "earlier"), answer("bbb", "m")], "allow bbb")).toBe("same");
  });

  it("with a reason is another when it gives a different one", () => {
    const denied = [asking("aaa"), answer("aaa", "m", { decision: "deny", reason: "too dear" })];
    const again = (reason: string) => {
      const value = { approvals: [{ id: "aaa", decision: "deny", reason }] };
      return repetition(denied, "m", [{ content: { $case: "data", value } }]);
    };
    expect([again("too dear"), again("too late")]).toEqual(["same", "other"]);
  });
});

it("a message whose id has answered nothing is new", () => {
  expect(said([...BOTH, answer("aaa", "another")], "yes")).toBe("new");
});
