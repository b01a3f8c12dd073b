// What the sockets of agents bear: more messages than they work on, foreign pages, slow clients, and bytes that are no request.
import { afterAll, beforeAll, expect, test } from "vitest";

import { TaskState } from "@a2a-js/sdk";

import { textOfParts } from "#shared/a2a/message.ts";

import { connect, saying, send, taskParams, textOf } from "../support/a2a-client.ts";
import { eventually } from "../support/deployment.ts";
import { lastResults, saidLast, silence } from "../support/messages-api.ts";
import { rawBytes, rawConnection, rawRequest } from "../support/raw-http.ts";
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

const POST = "POST /message:send HTTP/1.1\r\nHost: localhost\r\nA2A-Version: 1.0\r\nContent-Type: application/json\r\n";

test.each([
  ["nothing", ""],
  ["no HTTP", "hello\r\n\r\n"],
  ["a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["HTTP/0.9", "GET /tasks\r\n"],
  ["no path", "GET  HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["a path of another server", "GET http://evil.example/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["a tunnel", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"],
  ["a method of 10,000 letters", `${"G".repeat(10_000)} / HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ["a path of 200 kB", `GET /${"a".repeat(200_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  ["a header of 200 kB", `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(200_000)}\r\n\r\n`],
  ["20,000 headers", `GET / HTTP/1.1\r\nHost: localhost\r\n${"X: y\r\n".repeat(20_000)}\r\n`],
  ["a header without a name", "GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n"],
  ["two hosts", "GET /tasks HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"],
  ["NUL in a header", "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n"],
  ["a length that is none", `${POST}Content-Length: -1\r\n\r\n`],
  ["two lengths", `${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
  ["a length and chunks", `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["a length beyond 64 bits", `${POST}Content-Length: ${"9".repeat(30)}\r\n\r\n`],
  ["chunks of no size", `${POST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n`],
  ["a chunk that is cut", `${POST}Transfer-Encoding: chunked\r\n\r\nff\r\n{`],
  ["a body that is cut", `${POST}Content-Length: 100\r\n\r\n{`],
  ["an encoding that nobody has", `${POST}Transfer-Encoding: gzip\r\n\r\n{}`],
])("a connection that brings %s is answered with a refusal or ended, and others go on", async (_, bytes) => {
  const answer = await rawBytes(urlOf("asker"), bytes);
  // Nothing of it may begin a task or show one.
  expect(answer === "" || /^HTTP\/1\.1 [45]\d\d /.test(answer) ? "" : answer.slice(0, 200)).toBe("");
  expect((await fetch(`${urlOf("asker")}/health`)).status).toBe(200);
});

test("500 clients that send a byte and wait keep nobody else from an answer", async () => {
  team.api.script("asker", () => [{ text: "here" }]);
  const slow = await Promise.all(
    Array.from({ length: 500 }, async () => {
      const socket = await rawConnection(urlOf("asker"));
      socket.write(`${POST}Content-Length: 100\r\n\r\n{`);
      return socket;
    }),
  );
  const client = await connect(urlOf("asker"));
  expect(textOf(await send(client, saying("anybody?")))).toBe("here");
  for (const socket of slow) socket.destroy();
});
