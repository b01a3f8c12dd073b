// Sessions of a job, put together of what its agents say.
import { expect, it } from "vitest";
import type { SessionPart } from "#shared/control-plane/sessions.ts";

import { conversations } from "../../../../scripts/sessions/conversations.ts";
import { drawConversation, drawSessions, spentOn } from "../../../../scripts/sessions/draw.ts";
import { findSession, fits, type Gathered, toSession } from "../../../../scripts/sessions/gather.ts";
import { toMarkdown } from "../../../../scripts/sessions/markdown.ts";
import { Unreached } from "../../../../scripts/sessions/operator.ts";
import { PLAIN_SCREEN } from "../../../../scripts/terminal/screen.ts";
import { absent, agentWith, asks, turn } from "./agent-double.ts";

const part = (more: Partial<SessionPart> = {}): SessionPart => ({
  session: "s",
  turns: 1,
  ownTurns: 1,
  working: 0,
  waiting: 0,
  lastState: "TASK_STATE_COMPLETED",
  updatedAt: 1_000,
  ...more,
});
const at = (agent: string, more: Partial<SessionPart> = {}) => ({ agent: absent(agent), part: part(more) });
const session = (id: string, ...agents: ReturnType<typeof at>[]) =>
  toSession(id, agents.length > 0 ? agents : [at("a")]);
const gathered = (ids: readonly string[], unreached: readonly Unreached[] = []): Gathered => ({
  sessions: ids.map((id) => session(id)),
  unreached,
  ofOthers: 0,
  agents: [],
});

it("a session works while any agent works, waits while any waits, else is as the person's last turn", () => {
  const peer = (more: Partial<SessionPart>) => at("b", { ownTurns: 0, updatedAt: 2_000, ...more });
  expect(session("s", at("a"), peer({ working: 1 })).state).toBe("working");
  expect(session("s", at("a", { waiting: 1 }), peer({})).state).toBe("waiting");
  expect(session("s", at("a", { lastState: "TASK_STATE_FAILED" }), peer({})).state).toBe("failed");
  expect(session("s", at("a"), peer({})).updatedAt).toBe(2_000);
  expect(session("s", at("a", { ownTurns: 3 }), peer({ turns: 9 })).turns).toBe(3);
});

it("filters by agent, state and age hold together", () => {
  const one = session("s", at("a"), at("b", { updatedAt: 5_000 }));
  expect(fits(one, {})).toBe(true);
  expect(fits(one, { agent: "b", state: "completed", since: 4_000, before: 6_000 })).toBe(true);
  for (const filter of [{ agent: "c" }, { state: "failed" }, { since: 6_000 }, { before: 4_000 }])
    expect(fits(one, filter)).toBe(false);
});

it("a session is found by its id, or the only beginning; else the nearest is named", () => {
  const all = [gathered(["alpha-1", "alpha-12", "beta-77"])];
  expect(findSession(all, "alpha-1").id).toBe("alpha-1");
  expect(findSession(all, "beta").id).toBe("beta-77");
  expect(() => findSession(all, "alph")).toThrow("Several sessions begin with alph");
  expect(() => findSession(all, "beta-76")).toThrow('No agent knows the session beta-76. Did you mean "beta-77"?');
  const away = [gathered([], [new Unreached("b", "it is off")])];
  expect(() => findSession(away, "alpha-1")).toThrow("Not all agents could be asked: b.");
});

it("the list shows what each session began with, and foreign text moves no cursor", () => {
  const lines = drawSessions([session("s\u001b[2J")], ["Why?\u001b[31m"], PLAIN_SCREEN, 3_000);
  expect(lines[1]).toMatch(/^s \[2J +job {2}completed +1 +1 {2}2 s ago {2}Why\? \[31m$/);
});

it("a conversation is shown with the turns of other agents, or why they are missing", async () => {
  const peer = await agentWith("b", [turn("s~a.1", 1, { question: "dig", answer: "dug" })]);
  const asked = turn("s", 1, { peers: [asks("b", "s~a.1", 1), asks("c", "s~a.2", 1, 2)], compacted: true });
  const entry = await agentWith("a", [asked]);
  const whole = toSession("s", [{ agent: entry.operator, part: part({ ownTurns: 4 }) }]);
  const [read] = await conversations(whole, [entry.operator, peer.operator, absent("c")], 1);
  expect(read).toMatchObject({ agent: "a", earlier: 3 });
  const turns = read?.turns ?? [];
  expect(spentOn(turns)).toEqual({ tokens: 30, usd: 0.02 });
  expect(drawConversation("a", turns, 3, PLAIN_SCREEN, 1_000).join("\n")).toBe(`a
  … 3 earlier turns
  1  completed  1 s ago  15 tokens  $0.0100
    A summary replaces the turns before.
    > question 1
    b  completed  1 s ago  15 tokens  $0.0100
      > dig
      < dug
    c cannot be reached.
    < answer 1`);
  expect(toMarkdown(whole, [{ agent: "a", earlier: 3, turns }])).toContain(
    "### b, turn 1\n\n*completed, 1970-01-01T00:00:00.000Z",
  );
});

it("dollars are not known where one of the prices is not", () => {
  const unpriced = { agent: "a", record: turn("s", 1, { costUsd: null }), asked: [] };
  expect(spentOn([unpriced])).toEqual({ tokens: 15, usd: null });
});
