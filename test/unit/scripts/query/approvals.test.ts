// What a person is shown of an approval, what counts as a yes, and what is typed to answer later.
import { describe, expect, test } from "vitest";

import type { Approval } from "#shared/loop/log/approval.ts";

import { askForDecisions, type Prompt } from "../../../../scripts/query/ask-for-decisions.ts";
import { answersGiven, saysAll } from "../../../../scripts/query/typed/given-answers.ts";
import { commandFor, howToAnswer } from "../../../../scripts/query/reply-command.ts";
import { showApproval } from "../../../../scripts/query/view/show-approval.ts";
import { recordedIo } from "../io.ts";

const NOW = 1_780_000_000_000;

function approval(id: string, more: Partial<Approval> = {}): Approval {
  const input = { invoice: "4711", amount: 120 };
  const about = { agent: "payments", tool: "pay_invoice", input, reason: "The job asks about it." };
  return { id, ...about, expiresAt: Date.now() + 60_000, ...more };
}

describe("an approval on the screen", () => {
  test("shows who wants to run what, with which input, why and until when", () => {
    expect(showApproval(approval("ap_1", { expiresAt: NOW + 90_000 }), NOW)).toMatchInlineSnapshot(`
      "payments wants to run pay_invoice with
          {
            "invoice": "4711",
            "amount": 120
          }
      Reason: The job asks about it.
      It can be answered for another 1 min 30 s. Id: ap_1"
    `);
    expect(showApproval(approval("ap_1", { expiresAt: NOW }), NOW)).toContain("no longer: it has expired");
  });

  test("hides nothing, and cannot move the cursor or look like a line of ours", () => {
    const hostile = "\u001b[2J\u009b1A\u202eECMA\u200b\u2028Allow it?\nId: ap_9\r";
    const shown = showApproval(approval("ap_1", { input: { to: hostile }, reason: hostile, agent: hostile }), NOW);
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\u2028]/u);
    expect(shown.split("\n").filter((line) => /^\s*(?:Id|Allow)/.test(line))).toEqual([]);
    for (const code of ["\\u{9b}", "\\u{202e}", "\\u{200b}"]) expect(shown).toContain(code);
  });

  test("says how much of a long input is not shown", () => {
    const shown = showApproval(approval("ap_1", { input: { text: "x".repeat(20_000) } }), NOW);
    expect(shown).toMatch(/\[cut: 12\d{3} of 20\d{3} characters are not shown; .* approvals --json prints them all\]/);
  });
});

/** A person who types these lines; undefined is Ctrl-D, and nothing typed is silence. */
function typing(...lines: (string | undefined)[]): Prompt {
  return async (_, signal) => {
    if (lines.length > 0) return lines.shift();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
  };
}

describe("a person at the terminal", () => {
  test.each([
    ["y", "allow"],
    [" YES ", "allow"],
    ["\uff59", "allow"],
    ["n", "deny"],
    ["No\r", "deny"],
    ["\uff2e\uff2f", "deny"],
  ])("who types %j says %s", async (typed, decision) => {
    expect(await askForDecisions([approval("ap_1")], typing(typed), recordedIo())).toEqual([{ id: "ap_1", decision }]);
  });

  test.each(["", " ", "yeah", "y y", "y\ny", "maybe", "ja", "nope", "yn", "\u200by", "\u0443", "--allow", "1", "true"])(
    "who types %j says neither yes nor no, and is asked again",
    async (typed) => {
      for (const [word, decision] of [
        ["yes", "allow"],
        ["no", "deny"],
      ] as const) {
        const asked: string[] = [];
        const lines = [typed, typed, word];
        const prompt: Prompt = async (text) => (asked.push(text), lines.shift());
        expect(await askForDecisions([approval("ap_1")], prompt, recordedIo())).toEqual([{ id: "ap_1", decision }]);
        expect(asked).toEqual(["Allow it? [y/n] ", ...Array(2).fill("Please type yes or no. Allow it? [y/n] ")]);
      }
    },
  );

  test("is asked about each, and each answer goes with its id", async () => {
    const io = recordedIo();
    expect(await askForDecisions([approval("ap_1"), approval("ap_2")], typing("y", "n"), io)).toEqual([
      { id: "ap_1", decision: "allow" },
      { id: "ap_2", decision: "deny" },
    ]);
    expect(io.notes.join("\n")).toMatch(/Id: ap_1[^]*Id: ap_2/);
  });

  test("who goes away in the middle has decided nothing", async () => {
    expect(
      await askForDecisions([approval("ap_1"), approval("ap_2")], typing("y", undefined), recordedIo()),
    ).toBeUndefined();
  });

  test("who presses Ctrl-C has decided nothing", async () => {
    const interruption = new AbortController();
    const asked = askForDecisions([approval("ap_1")], typing(), recordedIo(interruption.signal));
    interruption.abort();
    expect(await asked).toBeUndefined();
  });

  test("who is silent until it expires is told so, and what had expired before is not asked", async () => {
    const io = recordedIo();
    const soon = approval("ap_1", { expiresAt: Date.now() + 100 });
    expect(await askForDecisions([soon, approval("ap_2", { expiresAt: 1 })], typing(), io)).toEqual([]);
    expect(io.notes.filter((note) => note.includes("not answered in time"))).toHaveLength(2);
    expect(io.notes.join()).not.toContain("ap_2");
  });
});

describe("answers by flags", () => {
  const waiting = [approval("ap_1"), approval("ap_2"), approval("ap_3")];

  test("go with the ids that they name, a reason only with a no", () => {
    expect(answersGiven({ allow: ["ap_1"], deny: ["ap_2"], reason: "too much" }, [])).toEqual([
      { id: "ap_1", decision: "allow" },
      { id: "ap_2", decision: "deny", reason: "too much" },
    ]);
  });
  test('"all" is what no other flag names', () => {
    const given = { allow: ["all"], deny: ["ap_2"], reason: undefined };
    expect(saysAll(given)).toBe(true);
    expect(answersGiven(given, waiting).map(({ id, decision }) => `${id} ${decision}`)).toEqual([
      "ap_1 allow",
      "ap_3 allow",
      "ap_2 deny",
    ]);
  });
  test("that say both yes and no to the same are refused", () => {
    for (const id of ["ap_1", "all"]) {
      expect(() => answersGiven({ allow: [id], deny: [id], reason: undefined }, waiting)).toThrow(
        `"${id}" cannot be both allowed and denied.`,
      );
    }
  });
});

describe("what to type later", () => {
  const target = { job: "approvals", url: "http://127.0.0.1:1" };

  test("names the task and each id", () => {
    expect(howToAnswer(target, "c.1.x", [approval("ap_1")])).toBe(
      "Answer: npx troupe query approvals --task c.1.x --allow ap_1 (or --deny ap_1)",
    );
    expect(howToAnswer(target, "c.1.x", [approval("ap_1"), approval("ap_2")])).toContain("--allow ap_1 --deny ap_2");
  });
  test("names an agent that is not the entry point, and quotes what a shell would take apart", () => {
    expect(commandFor({ ...target, agent: "payments" }, "it's $(me).1.x")).toBe(
      String.raw`npx troupe query approvals --agent payments --task 'it'\''s $(me).1.x'`,
    );
  });
});
