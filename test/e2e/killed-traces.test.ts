// What a trace shows of agents that are killed in the middle of a query: first what was last known, then their own word.
import { afterEach, expect, test } from "vitest";

import { connect, saying, send, taskParams } from "../support/a2a-client.ts";
import { eventually, signalProcess } from "../support/deployment.ts";
import { lastResults, saidLast, silence } from "../support/messages-api.ts";
import type { TracedSpan } from "../support/trace-store.ts";
import { deployScripted, type Scripted } from "./scripted.ts";
import { Answer, Status } from "./shapes.ts";

const LIMIT_MS = 20_000;

let team: Scripted;
afterEach(async () => team[Symbol.asyncDispose]());

async function pidOf(job: string, agent: string): Promise<number | null> {
  const { agents } = Status.parse(await team.deployment.json("status", job));
  return agents.find(({ id }) => id === agent)?.pid ?? null;
}

/** The spans of the newest query, as soon as `until` is true of them. */
async function trace(job: string, until: (spans: TracedSpan[]) => boolean, what: string): Promise<TracedSpan[]> {
  const store = await team.deployment.traces(job);
  const look = async () => {
    const [newest] = await store.list();
    const spans = newest === undefined ? [] : await store.spans(newest.traceId);
    return until(spans) ? spans : undefined;
  };
  return eventually(look, LIMIT_MS, what);
}

function chats(spans: readonly TracedSpan[]): TracedSpan[] {
  return spans.filter(({ name }) => name === "chat asker");
}

function spanOf(spans: readonly TracedSpan[], agent: string, name: string): TracedSpan {
  const found = spans.find((span) => span.agent === agent && span.name === name);
  if (!found) throw new Error(`${agent} has no span ${name}.`);
  return found;
}

test("a peer that is killed in mid-query: its caller's span fails, its own are closed by the registry, and its own end wins when it is back", async () => {
  team = await deployScripted("scripted-isolated");
  const job = "scripted-isolated";
  team.api.script("asker", function* (call) {
    if (saidLast(call) !== "") yield { tool: "query_agent", input: { agent: "helper", message: "think" } };
    else yield { text: `I was told: ${lastResults(call)[0]?.text ?? ""}` };
  });
  const helper = team.api.script("helper", async function* (call) {
    yield { text: "well …" };
    await silence(call);
  });
  const asked = team.deployment.json("query", job, "hello");
  await eventually(async () => (helper.length > 0 ? true : undefined), LIMIT_MS, "the helper thinks");
  const isThinking = (spans: TracedSpan[]) =>
    spans.some(({ agent, name }) => agent === "helper" && name === "chat helper");
  await trace(job, isThinking, "the helper's spans are there, open");
  signalProcess(await pidOf(job, "helper"), "SIGKILL");

  const answer = Answer.parse(await asked);
  expect(answer.answer).toContain("The agent helper did not answer");
  const lost = await trace(job, (spans) => spans.every(({ open }) => !open), "the registry closes what is open");
  expect(spanOf(lost, "asker", "SendStreamingMessage").error).toBeDefined();
  expect(spanOf(lost, "asker", "SendStreamingMessage").provisional).toBe(false);
  for (const name of ["SendStreamingMessage", "invoke_agent helper", "chat helper"]) {
    const span = spanOf(lost, "helper", name);
    expect([name, span.error, span.provisional]).toEqual([name, "agent_lost", true]);
    expect(span.status.message).toContain("helper was lost");
  }

  await team.deployment.succeed("restart", job);
  const taskId = String(spanOf(lost, "helper", "SendStreamingMessage").get("a2a.task.id"));
  const goesOn = (spans: TracedSpan[]) => spans.filter(({ name }) => name === "invoke_agent helper").length === 2;
  await trace(job, goesOn, "the helper goes on with its turn");
  await (await connect(team.urls.get("helper") ?? "")).cancelTask(taskParams(taskId));
  const own = await trace(
    job,
    (spans) => !spanOf(spans, "helper", "SendStreamingMessage").provisional && spans.every(({ open }) => !open),
    "the helper's own word",
  );
  expect(spanOf(own, "helper", "SendStreamingMessage").error).toBe("canceled");
  const turns = own.filter(({ name }) => name === "invoke_agent helper").map(({ error }) => error);
  expect(new Set(turns)).toEqual(new Set(["canceled", "interrupted"]));
  expect(own.filter(({ name }) => name === "chat helper").map(({ provisional }) => provisional)).toContain(true);
});

test("a process that is killed in mid-turn with all its agents: the trace ends with an error, and goes on when they are back", async () => {
  team = await deployScripted("scripted-team");
  const job = "scripted-team";
  team.api.script("asker", async function* (call) {
    yield { text: "well …" };
    await silence(call);
  });
  const task = await send(await connect(team.urls.get("asker") ?? ""), saying("hello", true));
  await trace(job, (spans) => spans.some(({ name }) => name === "chat asker"), "the model is asked");
  signalProcess(await pidOf(job, "asker"), "SIGKILL");
  const lost = await trace(
    job,
    (spans) => spans.length > 0 && spans.every(({ open }) => !open),
    "what is open is closed",
  );
  expect(lost.map(({ error, provisional }) => [error, provisional])).toEqual(lost.map(() => ["agent_lost", true]));

  await team.deployment.succeed("restart", job);
  const asker = await connect(team.urls.get("asker") ?? "");
  await asker.cancelTask(taskParams(task.id));
  const own = await trace(
    job,
    (spans) => !spanOf(spans, "asker", "SendMessage").provisional && spans.every(({ open }) => !open),
    "the agent's own word",
  );
  expect(spanOf(own, "asker", "SendMessage").error).toBe("canceled");
  expect(own.find(({ error }) => error === "interrupted")?.name).toBe("invoke_agent asker");
  for (const { spanId } of lost) expect(own.map((span) => span.spanId)).toContain(spanId);
});

test("an agent that is restarted before its lease ends closes what its former life left open", async () => {
  team = await deployScripted("scripted-team");
  const job = "scripted-team";
  let calls = 0;
  team.api.script("asker", async function* (call) {
    calls++;
    yield { text: "well …" };
    // The next life's turn ends.
    if (calls === 1) await silence(call);
  });
  await send(await connect(team.urls.get("asker") ?? ""), saying("hello", true));
  await trace(job, (spans) => spans.some(({ name }) => name === "chat asker"), "the model is asked");
  await team.deployment.succeed("restart", job);
  const hasEnded = (spans: TracedSpan[]) => spans.every(({ open }) => !open) && chats(spans).length === 2;
  const closed = await trace(job, hasEnded, "what is open is closed, and the turn ends");
  expect(chats(closed).map(({ provisional }) => provisional)).toContain(true);
});
