// What a job file takes away from an agent, it has not: time, model calls, tools; and nobody has a way into the private network.
import { once } from "node:events";
import { createServer } from "node:net";
import { hostname } from "node:os";

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { eventually } from "../support/deployment.ts";
import { Cut, lastResults, saidLast, silence } from "../support/messages-api.ts";
import { addressesSeen, deployScripted, type Scripted } from "./scripted.ts";

const JOB = "scripted-limits";
const LIMIT_MS = 10_000;

let limited: Scripted;
beforeAll(async () => {
  limited = await deployScripted(JOB);
});
afterAll(async () => limited[Symbol.asyncDispose]());

async function ask(agent: string, text: string) {
  return limited.deployment.troupe("query", JOB, text, "--agent", agent);
}

test("max_wall_time ends a question, and its model call, with the reason", async () => {
  const calls = limited.api.script("hurried", async function* (call) {
    yield { text: "Let me think" };
    await silence(call);
  });
  const { code, stderr } = await ask("hurried", "hello");
  expect(code).toBe(1);
  expect(stderr).toContain("The task ended as failed: The wall-time budget of 0.5 s was spent in model call 1");
  const brokenAt = await eventually(async () => calls[0]?.brokenAt, LIMIT_MS, "the model is let go");
  expect(brokenAt - (calls[0]?.begunAt ?? 0)).toBeLessThan(5_000);
  expect(calls).toHaveLength(1);
});

test("max_turns ends a question with the reason, and no further model call is made", async () => {
  const calls = limited.api.script("brief", () => [{ tool: "extract_key_points", input: { text: "One. Two." } }]);
  const { code, stderr } = await ask("brief", "hello");
  expect(code).toBe(1);
  expect(stderr).toContain("The task ended as failed: The budget of 2 model calls was spent");
  expect(calls).toHaveLength(2);
});

test.each(["before its answer", "in the middle of its answer"])(
  "a model whose connection is cut %s is asked again, and only the whole answer counts",
  async (when) => {
    const calls = limited.api.script("lead", function* () {
      if (calls.length === 1 && when === "before its answer") throw new Cut();
      yield { text: calls.length === 1 ? "Half " : "The whole answer." };
      if (calls.length === 1) throw new Cut();
    });
    expect(await ask("lead", "hello")).toMatchObject({ code: 0, stdout: expect.stringContaining("The whole answer.") });
    expect(calls).toHaveLength(2);
  },
);

test("an agent whose peer fails is told why, and answers", async () => {
  limited.api.script("brief", () => ({ status: 401, message: "as scripted" }));
  const calls = limited.api.script("lead", function* (call) {
    if (saidLast(call) === "") yield { text: "It cannot say." };
    else yield { tool: "query_agent", input: { agent: "brief", message: "hello" } };
  });
  expect(await ask("lead", "hello")).toMatchObject({ code: 0, stdout: expect.stringContaining("It cannot say.") });
  const [result] = calls.flatMap(lastResults);
  expect(result?.isError).toBe(true);
  expect(result?.text).toContain("The agent brief did not answer");
});

test("a tool that the job denies is not offered to the model, and refused when it is called all the same", async () => {
  const calls = limited.api.script("reader", function* (call) {
    if (saidLast(call) === "") yield { text: "I may not." };
    else yield { tool: "web_search", input: { query: "workerd" } };
  });
  await ask("reader", "hello");
  for (const { request } of calls) expect(request.tools.map(({ name }) => name)).toEqual(["fetch_url"]);
  expect(calls.flatMap(lastResults)).toEqual([{ text: "The tool web_search is denied in this job.", isError: true }]);
});

// Before the model itself names addresses, in the test below.
test("no model is shown where an agent is", () => {
  expect(addressesSeen(limited.api.calls, limited.urls)).toEqual([]);
});

test("a page of this machine or of its network cannot be read, and no connection to it is made", async () => {
  let connections = 0;
  const trap = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0);
  await once(trap, "listening");
  onTestFinished(() => void trap.close());
  const address = trap.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const hosts = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "2130706433",
    "0x7f.1",
    hostname(),
    `${hostname()}.`,
  ];
  const urls = [...hosts.map((host) => `http://${host}:${port}/`), "http://169.254.169.254/latest/meta-data/"];
  const calls = limited.api.script("reader", function* (call) {
    if (saidLast(call) === "") yield { text: "I cannot read them." };
    else for (const url of urls) yield { tool: "fetch_url", input: { url } };
  });
  expect(await ask("reader", "read them")).toMatchObject({ code: 0 });
  const results = calls.flatMap(lastResults);
  expect(results).toHaveLength(urls.length);
  for (const { text, isError } of results) {
    expect(isError).toBe(true);
    expect(text).toContain("Only public web pages can be read.");
  }
  expect(connections).toBe(0);
  expect(limited.api.strays).toEqual([]);
});
