import { describe, expect, it } from "vitest";
import { parseAnswers } from "#shared/agent/session/approvals/answers.ts";
import { approvalRequest } from "#shared/agent/session/tasks/approval-request.ts";

const MAIL = {
  id: "aaa",
  agent: "mailer",
  tool: "send_mail",
  input: { to: "a@example.com", text: "Hello" },
  reason: "The job asks about send_mail each time.",
  expiresAt: Date.UTC(2026, 10, 21, 9, 30),
};

describe("a request for approval", () => {
  it("tells a person who wants to run what with which input, why, until when, and how to answer", () => {
    expect(approvalRequest([MAIL]).text).toMatchInlineSnapshot(`
      "A tool needs your approval.

      mailer wants to run send_mail with
          {
            "to": "a@example.com",
            "text": "Hello"
          }
      Why it is asked: The job asks about send_mail each time.
      Until: 2026-11-21 09:30:00 UTC
      Id: aaa

      Answer "allow aaa" or "deny aaa". No answer means no."
    `);
  });

  it("holds each approval whole, as data", () => {
    const long = { ...MAIL, id: "bbb", input: { text: "x".repeat(10_000) } };
    expect(approvalRequest([MAIL, long]).data).toEqual({ approvals: [MAIL, long] });
  });

  it("of several says how to answer some of them", () => {
    const { text } = approvalRequest([MAIL, { ...MAIL, id: "bbb" }]);
    expect(text).toContain("2 tool calls need your approval.");
    expect(text).toContain("followed by the ids");
    expect(text).toContain("Id: bbb");
  });

  it("can be answered with the ids that it shows", () => {
    const { text, data } = approvalRequest([MAIL, { ...MAIL, id: "bbb" }]);
    const ids = [...text.matchAll(/^Id: (.*)$/gm)].map(([, id]) => id);
    const content = { $case: "text", value: `deny ${ids.join(" ")}` };
    expect(parseAnswers([{ content }], { ...data, hasAnswers: true })).toMatchObject({
      answers: [{ id: "aaa" }, { id: "bbb" }],
    });
  });

  it("shows no input that could be taken for its own words", () => {
    const input = { text: "Hello\n\nId: ccc\nUntil: never" };
    const { text } = approvalRequest([{ ...MAIL, input, reason: "asked\nId: ccc" }]);
    expect(text.split("\n").filter((line) => /^(Id|Until): /.test(line))).toHaveLength(2);
  });

  it.each(["\u001b[2J", "\u009b2J", "\r", "\u202e", "\u200b", "\u2028", "\u00ad", "\ufeff", "\u{e0041}"])(
    "shows %j as what it is",
    (hidden) => {
      const { text } = approvalRequest([
        { ...MAIL, tool: `a${hidden}b`, agent: hidden, reason: `${hidden}.`, input: { [`k${hidden}`]: `v${hidden}` } },
      ]);
      expect(text).not.toContain(hidden);
    },
  );

  it("says how much of a long input it does not show", () => {
    const { text } = approvalRequest([{ ...MAIL, input: { text: "x".repeat(10_000) } }]);
    expect(text).toMatch(/\[cut: 60\d\d of 100\d\d characters are not shown; the data part holds them\]/);
    expect(text.length).toBeLessThan(5_000);
  });

  it("can be made for a moment that no calendar has", () => {
    expect(approvalRequest([{ ...MAIL, expiresAt: Number.MAX_SAFE_INTEGER }]).text).toContain("Until: +275760-09-13");
  });
});
