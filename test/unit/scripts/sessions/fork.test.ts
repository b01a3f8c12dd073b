import { expect, it } from "vitest";

import { fork, hasEnded } from "../../../../scripts/sessions/fork.ts";
import { absent, agentWith, asks, turn, type AgentDouble } from "./agent-double.ts";

const copies = ({ heard }: AgentDouble) =>
  heard.filter(({ operation }) => operation === "copy").map(({ body }) => body);
const deletions = ({ heard }: AgentDouble) => heard.filter(({ operation }) => operation === "delete");

it("copies each thread with the turns that the copied turns asked for, and no others", async () => {
  const inner = await agentWith("c", [turn("s~a.1~b.1", 1), turn("s~a.1~b.1", 2)]);
  const peer = await agentWith("b", [
    turn("s~a.1", 1, { peers: [asks("c", "s~a.1~b.1", 1)] }),
    turn("s~a.1", 2, { peers: [asks("c", "s~a.1~b.1", 2)] }),
    turn("s~a.2", 1),
  ]);
  const first = turn("s", 1, { peers: [asks("b", "s~a.1", 1)] });
  const entry = await agentWith("a", [first, turn("s", 2, { peers: [asks("b", "s~a.1", 2)] })]);
  const agents = [entry, peer, inner].map(({ operator }) => operator);
  const forked = await fork({ agents, from: "s", to: "t" }, entry.operator, [first]);
  expect([...forked.copied]).toEqual([
    ["a", 1],
    ["b", 1],
    ["c", 1],
  ]);
  expect(forked.lost).toEqual([]);
  expect(copies(entry)).toMatchObject([{ session: "s", contextId: "s", to: "t", turns: [1], lost: [] }]);
  expect(copies(peer)).toMatchObject([{ session: "s", contextId: "s~a.1", to: "t~a.1", turns: [1], lost: [] }]);
  expect(copies(inner)).toMatchObject([{ contextId: "s~a.1~b.1", to: "t~a.1~b.1", turns: [1] }]);
});

it("an agent that cannot be reached, or has the thread no longer, is named, and whoever asked it is told", async () => {
  const empty = await agentWith("c", []);
  const asked = turn("s", 1, { peers: [asks("b", "s~a.1", 1), asks("c", "s~a.2", 1, 2), asks("d", "s~a.3", 1, 3)] });
  const entry = await agentWith("a", [asked]);
  const agents = [entry.operator, absent("b"), empty.operator];
  const { lost } = await fork({ agents, from: "s", to: "t" }, entry.operator, [asked]);
  expect(lost).toEqual([
    { agent: "b", by: "a", thread: 1, why: "b cannot be reached" },
    { agent: "c", by: "a", thread: 2, why: "c has it no longer" },
    { agent: "d", by: "a", thread: 3, why: "d is no agent of this job" },
  ]);
  expect(copies(entry)).toMatchObject([
    {
      lost: [
        { agent: "b", thread: 1 },
        { agent: "c", thread: 2 },
        { agent: "d", thread: 3 },
      ],
    },
  ]);
  expect(copies(empty)).toEqual([]);
});

it("a turn that still runs at another agent is not copied", async () => {
  const peer = await agentWith("b", [turn("s~a.1", 1, { state: "TASK_STATE_INPUT_REQUIRED" })]);
  const asked = turn("s", 1, { peers: [asks("b", "s~a.1", 1)] });
  const entry = await agentWith("a", [asked]);
  const agents = [entry.operator, peer.operator];
  const { lost } = await fork({ agents, from: "s", to: "t" }, entry.operator, [asked]);
  expect(lost).toMatchObject([{ why: "b has not ended its turn" }]);
  expect(copies(peer)).toEqual([]);
  expect(hasEnded(turn("s", 1, { state: "TASK_STATE_FAILED" }))).toBe(true);
});

it("a copy that fails half way leaves nothing behind", async () => {
  const peer = await agentWith("b", [turn("s~a.1", 1)]);
  const asked = turn("s", 1, { peers: [asks("b", "s~a.1", 1)] });
  const entry = await agentWith("a", [asked], { fails: ["copy"] });
  const agents = [entry.operator, peer.operator];
  await expect(fork({ agents, from: "s", to: "t" }, entry.operator, [asked])).rejects.toThrow("a cannot be reached");
  expect(deletions(peer)).toMatchObject([{ body: { session: "t" } }]);
  expect(deletions(entry)).toMatchObject([{ body: { session: "t" } }]);
});
