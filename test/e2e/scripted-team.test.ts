// Two agents that may ask each other, with a scripted model: how questions travel, how they end, and what a model is shown.
import { type Task, TaskState } from "@a2a-js/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { askAndPrint } from "../../scripts/query/print.ts";
import { connect, saying, send, taskParams, tasksOf } from "../support/a2a-client.ts";
import { eventually } from "../support/deployment.ts";
import { lastResults, type ModelCall, saidLast, type Script, silence } from "../support/messages-api.ts";
import type { Piece } from "../support/messages-stream.ts";
import { addressesSeen, deployScripted, type Scripted } from "./scripted.ts";
import { Answer } from "./shapes.ts";

const JOB = "scripted-team";
const LIMIT_MS = 10_000;
const QueryAgentSchema = z.object({ properties: z.object({ agent: z.object({ enum: z.array(z.string()) }) }) });

let team: Scripted;
beforeAll(async () => {
  team = await deployScripted(JOB);
});
afterAll(async () => team[Symbol.asyncDispose]());

async function client(agent: string) {
  return connect(team.urls.get(agent) ?? "");
}

function asking(agent: string, message: string): Piece {
  return { tool: "query_agent", input: { agent, message } };
}

/** Asks `agent` whatever it is asked, and answers with what it was told. */
function passingOn(agent: string): Script {
  return function* (call) {
    const said = saidLast(call);
    if (said !== "") yield asking(agent, said);
    else yield { text: `I was told: ${lastResults(call)[0]?.text ?? ""}` };
  };
}

function stateOf(task: Task | undefined): TaskState | undefined {
  return task?.status?.state;
}

test.each([
  [401, "refused the key (401): set ANTHROPIC_API_KEY to a valid key"],
  [403, "does not allow this key to use this model"],
])("a model that answers %i is asked once, and query says why and exits with 1", async (status, reason) => {
  const calls = team.api.script("asker", () => ({ status, message: "as scripted" }));
  const { code, stdout, stderr } = await team.deployment.troupe("query", JOB, "hello");
  expect([code, stdout, calls.length]).toEqual([1, "", 1]);
  expect(stderr.split(reason)).toHaveLength(2);
  expect(calls[0]?.key).toBe(team.api.environment.ANTHROPIC_API_KEY);
  expect(stderr).not.toContain(team.api.environment.ANTHROPIC_API_KEY);
});

test("an agent may be asked by the agent that it has asked: neither waits for itself", async () => {
  const back = "what did you want to know?";
  team.api.script("asker", function* (call) {
    const said = saidLast(call);
    if (said === back) yield { text: "the time" };
    else if (said !== "") yield asking("helper", said);
    else yield { text: lastResults(call)[0]?.text ?? "" };
  });
  team.api.script("helper", function* (call) {
    if (saidLast(call) !== "") yield asking("asker", back);
    else yield { text: `you wanted ${lastResults(call)[0]?.text ?? ""}` };
  });
  const answer = await team.deployment.succeed("query", JOB, "hello");
  expect(answer).toContain("you wanted the time");
});

test("a question that agents pass on without end is refused after eight of them, and answered", async () => {
  const asker = team.api.script("asker", passingOn("helper"));
  const helper = team.api.script("helper", passingOn("asker"));
  const answer = await team.deployment.succeed("query", JOB, "hello");
  const refused = [...asker, ...helper].flatMap(lastResults).filter(({ isError }) => isError);
  expect(refused).toHaveLength(1);
  expect(refused[0]?.text).toContain("has already gone through 8 agents (asker → helper → asker");
  expect(answer).toContain("which is the limit");
  expect(asker.length + helper.length).toBe(16);
});

test("two questions to one agent in one message are answered side by side", async () => {
  const asker = team.api.script("asker", function* (call) {
    if (saidLast(call) !== "") yield* [asking("helper", "first"), asking("helper", "second")];
    else yield { text: "both came" };
  });
  const helper: readonly ModelCall[] = team.api.script("helper", async function* (call) {
    await eventually(async () => (helper.length === 2 ? true : undefined), LIMIT_MS, "the second question comes");
    yield { text: `about ${saidLast(call)}` };
  });
  await team.deployment.succeed("query", JOB, "hello");
  const [first, second] = helper;
  expect(second?.begunAt).toBeLessThanOrEqual(first?.answeredAt ?? 0);
  const results = asker.flatMap(lastResults).map(({ text }) => text);
  expect(results).toEqual(["about first\n\n(thread 1)", "about second\n\n(thread 2)"]);
});

test("a canceled task lets go of its model and of the task it opened at another agent, at once", async () => {
  const asker = team.api.script("asker", () => [
    asking("helper", "think about it"),
    asking("helper", "and about this"),
  ]);
  const helper = team.api.script("helper", async function* (call) {
    yield { text: "well …" };
    await silence(call);
  });
  const task = await send(await client("asker"), saying("hello", true));
  await eventually(async () => (helper.length === 2 ? true : undefined), LIMIT_MS, "both questions are being answered");

  const begun = Date.now();
  const canceled = await (await client("asker")).cancelTask(taskParams(task.id));
  expect(stateOf(canceled)).toBe(TaskState.TASK_STATE_CANCELED);
  const broken = await eventually(
    async () => (helper.every(({ brokenAt }) => brokenAt !== undefined) ? helper : undefined),
    LIMIT_MS,
    "the helper's model is let go",
  );
  for (const { brokenAt } of broken) expect((brokenAt ?? Infinity) - begun).toBeLessThan(5_000);
  const theirs = (await tasksOf(await client("helper"))).filter(({ contextId }) =>
    contextId.startsWith(task.contextId),
  );
  expect(theirs.map(stateOf)).toEqual([TaskState.TASK_STATE_CANCELED, TaskState.TASK_STATE_CANCELED]);
  expect(asker).toHaveLength(1);
});

test("a canceled task lets go of a model in the middle of its answer, at once", async () => {
  const calls = team.api.script("asker", async function* (call) {
    yield { text: "Once upon a time" };
    await silence(call);
  });
  const task = await send(await client("asker"), saying("tell me a story", true));
  await eventually(async () => (calls.length > 0 ? true : undefined), LIMIT_MS, "the model is asked");
  const begun = Date.now();
  await (await client("asker")).cancelTask(taskParams(task.id));
  const brokenAt = await eventually(async () => calls[0]?.brokenAt, LIMIT_MS, "the model is let go");
  expect(brokenAt - begun).toBeLessThan(5_000);
  const kept = await (await client("asker")).getTask({ tenant: "", id: task.id });
  expect([stateOf(kept), calls.length]).toEqual([TaskState.TASK_STATE_CANCELED, 1]);
});

test("words are on the screen while the model still speaks", async () => {
  let screen = "";
  const calls = team.api.script("asker", async function* () {
    yield { text: "Good " };
    await eventually(async () => (screen === "Good " ? true : undefined), LIMIT_MS, "the first word is on the screen");
    yield { text: "morning" };
  });
  const { signal } = new AbortController();
  const write = (text: string) => void (screen += text);
  const io = { print: (text: string) => write(`${text}\n`), write, note: () => {}, signal, interactive: true };
  const url = team.urls.get("asker") ?? "";
  await askAndPrint({ job: "scripted-team", url, text: "hello", session: undefined, timeoutMs: LIMIT_MS * 2 }, io);
  expect([screen, calls.length]).toEqual(["Good morning\n", 1]);
});

test("system prompt and tools stay the same over a session, and every request asks for caching", async () => {
  team.api.script("helper", function* () {
    yield { text: "fine" };
  });
  const calls = team.api.script("asker", passingOn("helper"));
  const { contextId } = Answer.parse(await team.deployment.json("query", JOB, "how are you?"));
  await team.deployment.succeed("query", JOB, "and now?", "--session", contextId);
  expect(calls).toHaveLength(4);
  const prefixes = calls.map(({ request: { system, tools, model } }) => JSON.stringify({ system, tools, model }));
  expect(new Set(prefixes).size).toBe(1);
  for (const { request } of team.api.calls) expect(request["cache_control"]).toEqual({ type: "ephemeral" });
  // What was sent before is sent again as it was: only then does a cached prefix fit.
  for (const [index, { request }] of calls.slice(0, -1).entries()) {
    expect(calls[index + 1]?.request.messages.slice(0, request.messages.length)).toEqual(request.messages);
  }
});

test("a model can name its agent's neighbours and nobody else, and never sees where one is", async () => {
  const askable = new Map<string, Set<string>>();
  for (const { request } of team.api.calls) {
    const schema = request.tools.find(({ name }) => name === "query_agent")?.input_schema;
    const names = QueryAgentSchema.parse(schema).properties.agent.enum.join(" ");
    askable.set(request.model, (askable.get(request.model) ?? new Set()).add(names));
  }
  expect(askable).toEqual(
    new Map([
      ["asker", new Set(["helper"])],
      ["helper", new Set(["asker"])],
    ]),
  );
  expect(addressesSeen(team.api.calls, team.urls)).toEqual([]);
});
