import { describe, expect, it } from "vitest";
import { globFits, policyAnswer } from "#shared/loop/tools/policy.ts";

describe("a pattern", () => {
  it.each([
    ["a", "a", true],
    ["a", "ab", false],
    ["a", "ba", false],
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "any\ntext", true],
    ["a*", "abc", true],
    ["a*", "ba", false],
    ["*c", "abc", true],
    ["*c", "abcd", false],
    ["a*c", "abc", true],
    ["a*c", "ac", true],
    ["aa*aa", "aaa", false],
    ["*@example.com", "me@example.com", true],
    ["*@example.com", "me@exampleXcom", false],
    ["*@example.com", "me@example.com.evil.org", false],
    ["*a*b*", "xaxbx", true],
    ["*b*a*", "xaxbx", false],
    ["a**b", "ab", true],
    ["[a-z]+", "abc", false],
    ["(", "(", true],
    ["a.c", "abc", false],
    ["\\d", "1", false],
    ["A", "a", false],
  ])("%j fits %j: %s", (pattern, text, fits) => expect(globFits(pattern, text)).toBe(fits));

  it("of many stars takes no longer than its text is long", () => {
    const begun = performance.now();
    expect(globFits("*a".repeat(200), "a".repeat(100_000) + "b")).toBe(false);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});

describe("a policy", () => {
  const allow = { tool: "send_mail", decision: "allow" } as const;
  const inside = { ...allow, input: { to: ["*@example.com", "me"] } };

  it("answers with the first rule that fits", () => {
    const deny = { tool: "send_*", decision: "deny" } as const;
    expect(policyAnswer([inside, deny], "send_mail", { to: "a@example.com" })).toBe("allow");
    expect(policyAnswer([inside, deny], "send_mail", { to: "a@evil.org" })).toBe("deny");
    expect(policyAnswer([deny, inside], "send_mail", { to: "a@example.com" })).toBe("deny");
  });

  it("says nothing about a tool that no rule names", () => {
    expect(policyAnswer([allow], "send_mails", {})).toBeUndefined();
    expect(policyAnswer([], "send_mail", {})).toBeUndefined();
  });

  it("takes a list of texts as any of them, and fields as all of them", () => {
    const both = { ...allow, input: { to: ["me"], subject: ["hi*"] } };
    expect(policyAnswer([inside], "send_mail", { to: "me" })).toBe("allow");
    expect(policyAnswer([both], "send_mail", { to: "me", subject: "hi there" })).toBe("allow");
    expect(policyAnswer([both], "send_mail", { to: "me", subject: "no" })).toBeUndefined();
  });

  it("compares numbers and booleans by their text", () => {
    const rule = { ...allow, input: { amount: ["10"], urgent: ["false"] } };
    expect(policyAnswer([rule], "send_mail", { amount: 10, urgent: false })).toBe("allow");
    expect(policyAnswer([rule], "send_mail", { amount: 100, urgent: false })).toBeUndefined();
  });

  it.each([
    ["missing", {}],
    ["inherited", Object.create({ to: "me" })],
    ["null", { to: null }],
    ["a list", { to: ["me"] }],
    ["an object", { to: { toString: "me" } }],
  ])("does not take a field for fitting that is %s, not even for *", (_, input) => {
    expect(policyAnswer([{ ...allow, input: { to: ["*"] } }], "send_mail", input)).toBeUndefined();
    expect(policyAnswer([{ ...allow, input: { constructor: ["*"] } }], "send_mail", input)).toBeUndefined();
  });
});
