// Agents that work on one message at a time: everything is answered, what waits says so, and foreign pages are kept out.
import { afterAll, beforeAll, expect, test } from "vitest";

import { TaskState } from "@a2a-js/sdk";

import { textOfParts } from "#shared/a2a/message.ts";

import { connect, saying, send, taskParams, textOf } from "../support/a2a-client.ts";
import { eventually } from "../support/deployment.ts";
import { lastResults, saidLast, silence } from "../support/messages-api.ts";
import { rawRequest } from "../support/raw-http.ts";
import { deployScripted, type Scripted } from "./scripted.ts";

const LIMIT_MS = 20_000;

let team: Scripted;
beforeAll(async () => {
  team = await deployScripted("scripted-slots");
});
afterAll(async () => team[Symbol.asyncDispose]());

const urlOf = (agent: string) => team.urls.get(agent) ?? "";

test("a hundred questions at once are all answered, each through an agent that asks the asking one back", async () => {
  const back = "which number?";
  team.api.script("asker", function* (call) {
    const said = saidLast(call);
    if (said === back) yield { text: "that one" };
    else if (said !== "") yield { tool: "query_agent", input: { agent: "helper", message: said } };
    else yield { text: lastResults(call)[0]?.text ?? "" };
  });
  team.api.script("helper", function* (call) {
    if (saidLast(call) !== "") yield { tool: "query_agent", input: { agent: "asker", message: back } };
    else yield { text: `helped with ${lastResults(call)[0]?.text ?? ""}` };
  });
  const client = await connect(urlOf("asker"));
  const tasks = await Promise.all(Array.from({ length: 100 }, async (_, n) => send(client, saying(`question ${n}`))));
  const answers = tasks.map((task) => textOf(task));
  expect(answers.filter((answer) => !answer.includes("helped with"))).toEqual([]);
  const health = await (await fetch(`${urlOf("asker")}/health`)).json();
  expect(health).toMatchObject({ turns: { limit: 1, running: 0, waiting: 0 } });
});

test("a message waits for the one at work, says so, and begins when that has ended, though its client has gone", async () => {
  team.api.script("asker", async function* (call) {
    if (saidLast(call) === "hold") await silence(call);
    else yield { text: "at last" };
  });
  const client = await connect(urlOf("asker"));
  const holding = await send(client, saying("hold", true));
  const waiting = await send(client, saying("next", true));
  const look = async (id: string) => client.getTask({ tenant: "", id, historyLength: 0 });
  const seen = await look(waiting.id);
  expect(seen.status?.state).toBe(TaskState.TASK_STATE_SUBMITTED);
  expect(textOfParts(seen.status?.message?.parts)).toMatch(/works on 1 other messages/);
  await client.cancelTask(taskParams(holding.id));
  const ended = async () => {
    const task = await look(waiting.id);
    return task.status?.state === TaskState.TASK_STATE_COMPLETED ? task : undefined;
  };
  expect(textOf(await eventually(ended, LIMIT_MS, "the message that waited is answered"))).toBe("at last");
});

test.each([
  ["another host", ["Host: evil.example"]],
  ["a host with a user before it", ["Host: evil.example@127.0.0.1"]],
  ["no host", ["Host:"]],
  ["a page of another origin", ["Host: localhost", "Origin: http://evil.example"]],
  ["a page of another port", ["Host: localhost", "Origin: http://localhost:1"]],
  ["another site", ["Host: localhost", "Sec-Fetch-Site: cross-site"]],
])("a request from %s is refused at the agent's socket before it is read", async (_, headers) => {
  const answer = await rawRequest(urlOf("asker"), ["GET /tasks?A2A-Version=1.0 HTTP/1.1", ...headers]);
  expect(answer.split("\r\n")[0]).toMatch(/^HTTP\/1\.1 (403|400) /);
});

test("a tunnel that keeps its own port is let in", async () => {
  const headers = ["Host: localhost:1", "Origin: http://localhost:1"];
  const answer = await rawRequest(urlOf("asker"), ["GET /tasks?A2A-Version=1.0 HTTP/1.1", ...headers]);
  expect(answer.split("\r\n")[0]).toBe("HTTP/1.1 200 OK");
});
