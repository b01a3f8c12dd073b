import { describe, expect, it } from "vitest";
import { textPart } from "#shared/a2a/message.ts";
import { parseAnswers, type AnswerPart } from "#shared/agent/session/approvals/answers.ts";

const WAITING = ["aaa", "bbb"].map((id) => ({ id, agent: "mailer", tool: "send_mail" }));
const data = (value: unknown): AnswerPart => ({ content: { $case: "data", value } });
const parse = (...parts: (string | AnswerPart)[]) =>
  parseAnswers(
    parts.map((part) => (typeof part === "string" ? textPart(part) : part)),
    { approvals: WAITING, hasAnswers: false },
  );
const all = (decision: "allow" | "deny") => ({ answers: WAITING.map(({ id }) => ({ id, decision })) });

describe("an answer in words", () => {
  it.each(["allow", "yes", "approve", "Allow", " YES\n"])("%j alone allows all that wait", (text) => {
    expect(parse(text)).toEqual(all("allow"));
  });
  it.each(["deny", "no", "reject", "NO"])("%j alone denies all that wait", (text) => {
    expect(parse(text)).toEqual(all("deny"));
  });
  it("followed by ids is for these only", () => {
    expect(parse("allow bbb")).toEqual({ answers: [{ id: "bbb", decision: "allow" }] });
    expect(parse("deny aaa, bbb")).toEqual(all("deny"));
    expect(parse("deny aaa aaa")).toEqual({ answers: [{ id: "aaa", decision: "deny" }] });
  });

  it.each([
    "",
    "ok",
    "yess",
    "yes!",
    "yes please",
    "yes, but only the first",
    "I said yes",
    "no yes",
    "allow aaa deny bbb",
    "allow AAA",
    "aaa",
    "not allow",
    "constructor",
    "toString",
  ])("%j is none, and the sender is told how to answer", (text) => {
    expect(parse(text)).toEqual({ error: expect.stringContaining('Answer "allow" or "deny"') });
  });

  it("that names an unknown id is told the nearest one", () => {
    expect(parse("allow aab")).toEqual({ error: expect.stringContaining('Did you mean "aaa"?') });
  });

  it("over several parts is one text", () => {
    expect(parse("allow", "aaa")).toEqual({ answers: [{ id: "aaa", decision: "allow" }] });
    expect(parse("yes", "no")).toHaveProperty("error");
  });
});

describe("an answer to a task that was answered before", () => {
  const later = (text: string) => parseAnswers([textPart(text)], { approvals: WAITING, hasAnswers: true });

  it.each(["allow", "yes", "Approve"])(
    "that is only %j may be meant for what it had asked then: it is refused, with what waits",
    (text) => {
      expect(later(text)).toEqual({ error: expect.stringContaining("What waits: aaa (send_mail of mailer), bbb") });
    },
  );

  it("counts with ids, and a bare no counts too", () => {
    expect(later("allow bbb")).toEqual({ answers: [{ id: "bbb", decision: "allow" }] });
    expect(later("no")).toEqual(all("deny"));
  });

  it("shows nothing that a terminal would obey, though names come from elsewhere", () => {
    const approvals = [{ id: "aaa", agent: "a\u001b[2Jb", tool: "x".repeat(200) }];
    const refused = parseAnswers([textPart("yes")], { approvals, hasAnswers: true });
    expect(refused).toEqual({ error: expect.stringContaining(`aaa (${"x".repeat(100)} of a\\u{1b}[2Jb)`) });
  });
});

describe("an answer as data", () => {
  it("is taken with its reason", () => {
    const answers = [
      { id: "aaa", decision: "allow" },
      { id: "bbb", decision: "deny", reason: "too dear" },
    ];
    expect(parse(data({ approvals: answers }))).toEqual({ answers });
  });

  it("may come in several parts", () => {
    const parts = ["aaa", "bbb"].map((id) => data({ approvals: [{ id, decision: "deny" }] }));
    expect(parse(...parts)).toEqual(all("deny"));
  });

  it.each([
    ["no list", {}],
    ["an empty list", { approvals: [] }],
    ["another word", { approvals: [{ id: "aaa", decision: "yes" }] }],
    ["true for a decision", { approvals: [{ id: "aaa", decision: true }] }],
    ["no id", { approvals: [{ decision: "allow" }] }],
    ["an unknown id", { approvals: [{ id: "zzz", decision: "allow" }] }],
    ["an unknown field", { approvals: [{ id: "aaa", decision: "allow", unless: "it is dear" }] }],
    ["null", null],
  ])("with %s is none", (_, value) => {
    expect(parse(data(value))).toEqual({ error: expect.stringContaining('Answer "allow" or "deny"') });
  });

  it("counts not at all where one part of it is wrong", () => {
    const approvals = [
      { id: "aaa", decision: "allow" },
      { id: "zzz", decision: "allow" },
    ];
    expect(parse(data({ approvals }))).toHaveProperty("error");
  });

  it("that allows and denies the same is none", () => {
    const approvals = [
      { id: "aaa", decision: "allow" },
      { id: "aaa", decision: "deny" },
    ];
    expect(parse(data({ approvals }))).toEqual({ error: expect.stringContaining("both allowed and denied") });
  });

  it("beside words is none, for they may say something else", () => {
    const yes = data({ approvals: [{ id: "aaa", decision: "allow" }] });
    expect(parse(yes, "no")).toHaveProperty("error");
    expect(parse(yes, " ")).toHaveProperty("answers");
  });
});

describe("a message that is no answer at all", () => {
  it("holds a file", () => {
    expect(parse("yes", { content: { $case: "url", value: "https://example.com" } })).toHaveProperty("error");
  });
  it("has no parts", () => {
    expect(parse()).toHaveProperty("error");
    expect(parse({ content: undefined })).toHaveProperty("error");
  });
  it("comes when nothing waits: a yes is not kept for later", () => {
    expect(parseAnswers([textPart("yes")], { approvals: [], hasAnswers: false })).toEqual({
      error: "Nothing waits for an approval.",
    });
  });
});
