// Agents that find each other through the registry, with a scripted model: who may be asked, and what a model learns of them.
import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually, signalProcess } from "../support/deployment.ts";
import { lastResults, type Script } from "../support/messages-api.ts";
import type { Piece } from "../support/messages-stream.ts";
import { addressesSeen, deployScripted, type Scripted } from "./scripted.ts";
import { Answer, Status } from "./shapes.ts";

const JOB = "scripted-dynamic";
const FIND: Piece = { tool: "find_agents", input: { query: "" } };
const ASK: Piece = { tool: "query_agent", input: { agent: "helper", message: "hello" } };

let job: Scripted;
beforeAll(async () => {
  job = await deployScripted(JOB);
  job.api.script("helper", () => [{ text: "At your service." }]);
});
afterAll(async () => job[Symbol.asyncDispose]());

/** Makes these calls, one a message, and then says what the last one returned. For one question. */
function calling(...pieces: readonly Piece[]): Script {
  const left = [...pieces];
  return (call) => [left.shift() ?? { text: lastResults(call)[0]?.text ?? "" }];
}

test("an agent that was not found cannot be asked, one that was can, in this session only", async () => {
  const early = job.api.script("asker", calling(ASK));
  await job.deployment.succeed("query", JOB, "hello");
  expect(early.flatMap(lastResults)).toEqual([
    { text: "There is no agent named helper that you can ask. Use find_agents first.", isError: true },
  ]);

  job.api.script("asker", calling(FIND, ASK));
  const { answer, contextId } = Answer.parse(await job.deployment.json("query", JOB, "hello"));
  expect(answer).toContain("At your service.");

  job.api.script("asker", calling(ASK));
  expect(await job.deployment.succeed("query", JOB, "hello", "--session", contextId)).toContain("At your service.");
  job.api.script("asker", calling(ASK));
  expect(await job.deployment.succeed("query", JOB, "hello")).toContain("Use find_agents first.");
});

test("the schema of query_agent names nobody and never changes", () => {
  const schemas = job.api.calls.map(({ request }) => request.tools.find(({ name }) => name === "query_agent"));
  expect(new Set(schemas.map((schema) => JSON.stringify(schema))).size).toBe(1);
  expect(schemas[0]?.input_schema).toMatchObject({ properties: { agent: { type: "string" } } });
  expect(JSON.stringify(schemas[0])).not.toContain("helper");
});

test("an agent that has died is an error to the one that asks it, before its lease ends and after", async () => {
  const { agents } = Status.parse(await job.deployment.json("status", JOB));
  signalProcess(agents.find(({ id }) => id === "helper")?.pid, "SIGKILL");
  const calls = job.api.script("asker", calling(FIND, ASK));
  const { contextId } = Answer.parse(await job.deployment.json("query", JOB, "hello"));
  const [failure] = calls.flatMap(lastResults).filter(({ isError }) => isError);
  expect(failure?.text).toMatch(/^The agent helper (did not answer: |is dead)/);

  await eventually(
    async () => {
      job.api.script("asker", calling(ASK));
      const answer = await job.deployment.succeed("query", JOB, "hello", "--session", contextId);
      return answer.includes("The agent helper is dead") ? true : undefined;
    },
    10_000,
    "the registry says that the agent is dead",
  );
});

test("no model is shown where an agent is, not even one that cannot be reached", () => {
  expect(addressesSeen(job.api.calls, job.urls)).toEqual([]);
});
