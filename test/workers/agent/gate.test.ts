// What an agent refuses at its door, how many turns it works on at once, and from where an approval may come.
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { TaskState } from "@a2a-js/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { slotsOf, type Slot } from "#shared/agent/slots.ts";
import { effects, testAgent } from "../../support/test-agent.ts";
import { ask, client, knock, post, postSigned, problemOf, send, waitsFor } from "./client.ts";

const QUESTION = { message: { messageId: "m", role: "ROLE_USER", parts: [{ text: "say hi" }] } };
const { TASK_STATE_CANCELED, TASK_STATE_INPUT_REQUIRED, TASK_STATE_SUBMITTED } = TaskState;

describe("a request that no client of the agent would send", () => {
  const foreign: [string, RequestInit][] = [
    ["http://evil.example:9001", {}],
    ["http://evil.example:9001", { headers: { origin: "http://evil.example:9001" } }],
    ["https://tester.test", { headers: { origin: "http://evil.example" } }],
    ["https://tester.test", { headers: { "sec-fetch-site": "cross-site" } }],
  ];
  it.each(foreign)("to %s with %j is refused at every path", async (origin, init) => {
    for (const path of [
      "/tasks?A2A-Version=1.0",
      "/message:send",
      "/jsonrpc",
      "/.well-known/agent-card.json",
      "/health",
    ]) {
      const request = new Request(origin + path, init);
      expect((await testAgent.worker.fetch(request, env, createExecutionContext())).status).toBe(403);
    }
  });
});

describe("credentials", () => {
  it.each(["Basic x", "Bearer a b", "Token x", "Bearer", "", "Bearer x.y", "bearer a.b.c"])(
    "%j are refused at every path, whatever they are for",
    async (authorization) => {
      for (const path of ["/tasks", "/message:send", "/.well-known/agent-card.json", "/health", "/nowhere"])
        expect((await knock(path, { headers: { authorization, "a2a-version": "1.0" } })).status).toBe(401);
      const refused = await post("/jsonrpc", { jsonrpc: "2.0", id: 1, method: "ListTasks" }, { authorization });
      expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    },
  );
});

describe("with all slots taken", () => {
  const taken: Slot[] = [];
  const slots = slotsOf(env);
  const stay = new AbortController().signal;
  const fill = async () => {
    while (!slots.isFull) taken.push(await slots.begin("test", stay));
  };
  const free = () => {
    for (const slot of taken.splice(0)) slot.end();
  };
  afterEach(free);

  // That it begins when a slot becomes free is shown in test/e2e: here no object can wait for another.
  it("a message that waits says so, is canceled at once, and never runs", async () => {
    await fill();
    const a2a = await client("JSONRPC");
    const configuration = { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately: true };
    const task = await send(a2a, { ...ask('call post {"text":"unwanted"}', "canceled-in-line"), configuration });
    expect([task.status?.state, problemOf(task)]).toEqual([
      TASK_STATE_SUBMITTED,
      expect.stringMatching(/works on 100 other messages/),
    ]);
    const canceled = await a2a.cancelTask({ tenant: "", id: task.id, metadata: undefined });
    expect(canceled.status?.state).toBe(TASK_STATE_CANCELED);
    free();
    expect(slots.status).toMatchObject({ running: 0, waiting: 0 });
    expect(effects).not.toContain("posted unwanted");
  });

  it("a full line is a 503 that says when to come again, in the form of either binding; no session is touched", async () => {
    await fill();
    const leaving = new AbortController();
    const line = Array.from({ length: 1_000 }, async (_, n) => slots.begin(`line ${n}`, leaving.signal));
    const rest = await post("/message:send", { message: { ...QUESTION.message, contextId: "never-opened" } });
    expect([rest.status, rest.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await rest.json()).toMatchObject({
      error: { code: 503, message: expect.stringMatching(/line of 1000 is full/) },
    });
    const rpc = await post("/jsonrpc", { jsonrpc: "2.0", id: 7, method: "SendStreamingMessage", params: QUESTION });
    expect([rpc.status, rpc.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await rpc.json()).toMatchObject({
      id: 7,
      error: { message: expect.stringMatching(/line of 1000 is full/) },
    });
    // Who looks, cancels or answers is not kept out.
    expect((await knock("/tasks", { headers: { "a2a-version": "1.0" } })).status).toBe(200);
    leaving.abort();
    await Promise.allSettled(line);
    free();
    expect((await post("/message:send", QUESTION)).status).toBe(200);
  });
});

describe("a conversation in which a hundred messages wait", () => {
  it("takes no more until there is room, also by a stream, and knows again what it has taken", async () => {
    const message = (id: string) => ({
      ...QUESTION.message,
      messageId: id,
      contextId: "crowded",
      parts: [{ text: "hang" }],
    });
    const configuration = { returnImmediately: true };
    const say = async (id: string) => post("/message:send", { message: message(id), configuration });
    const taken: string[] = [];
    for (let n = 0; n <= 100; n++) {
      const response = await say(`m${n}`);
      expect(response.status).toBe(200);
      taken.push((await response.json<{ task: { id: string } }>()).task.id);
    }
    const refused = await say("late");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await refused.json()).toMatchObject({
      error: { code: 429, message: expect.stringMatching(/100 messages of this conversation wait/) },
    });
    const params = { message: message("late") };
    const rpc = await post("/jsonrpc", { jsonrpc: "2.0", id: 7, method: "SendStreamingMessage", params });
    expect([rpc.status, rpc.headers.get("retry-after"), await rpc.json()]).toMatchObject([429, "1", { id: 7 }]);
    expect((await say("m50")).status).toBe(200);
    const other = { message: { ...message("late"), contextId: "not-crowded", parts: [{ text: "say hi" }] } };
    expect((await post("/message:send", other)).status).toBe(200);
    const a2a = await client("JSONRPC");
    for (const id of taken.toReversed()) await a2a.cancelTask({ tenant: "", id, metadata: undefined });
  });
});

describe("a disk that is nearly full", () => {
  it("takes no message, says why and when to come again, and goes on showing what there is", async () => {
    const now = Math.floor(Date.now() / 1000);
    const disk = { at: now, totalKb: 1_000_000, freeKb: 1_000 };
    const MACHINE: Pick<Fetcher, "fetch"> = { fetch: async () => Response.json(disk) };
    const full = Object.assign({}, env, { MACHINE });
    const knockAt = async (path: string, body?: object) => {
      const init = body && { method: "POST", body: JSON.stringify(body) };
      const headers = { "content-type": "application/json", "a2a-version": "1.0" };
      const request = new Request(`https://tester.test${path}`, { ...init, headers });
      return testAgent.worker.fetch(request, full, createExecutionContext());
    };
    const refused = await knockAt("/message:send", QUESTION);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await refused.text()).toMatch(/disk full: 1\.0 MB are left/);
    expect((await knockAt("/jsonrpc", { jsonrpc: "2.0", id: 1, method: "SendMessage", params: QUESTION })).status).toBe(
      503,
    );
    expect((await knockAt("/tasks")).status).toBe(200);
  });
});

describe("an approval of a thread that another agent opened", () => {
  const context = "order~hub.1";
  /** By the last agent of the chain; without a chain, by a person. */
  const say = (message: { messageId: string; [field: string]: unknown }, chain: readonly string[]) => {
    const body = { message: { role: "ROLE_USER", ...message } };
    const from = chain.at(-1);
    return from === undefined
      ? post("/message:send", body)
      : postSigned("/message:send", body, { from, chain: [...chain], query: "q" });
  };
  const paid = () => effects.filter((effect) => effect.startsWith("paid thief ")).length;

  it("comes from that agent and nobody else, whoever the person behind them is", async () => {
    const text = 'call pay {"to":"thief","amount":5}';
    const asked = await say({ messageId: "m1", contextId: context, parts: [{ text }] }, ["hub"]);
    const { task } = await asked.json<{ task: { id: string; status: { state: string } } }>();
    expect(task.status.state).toBe("TASK_STATE_INPUT_REQUIRED");
    const seen = await (await client("HTTP+JSON")).getTask({ tenant: "", id: task.id, historyLength: 0 });
    expect(seen.status?.state).toBe(TASK_STATE_INPUT_REQUIRED);
    const [id] = waitsFor(seen);
    const yes = { taskId: task.id, parts: [{ text: `allow ${id}` }] };
    // Another agent does not even see the thread.
    expect((await say({ messageId: "m0", ...yes }, ["other"])).status).toBe(404);
    for (const chain of [[], ["other", "hub"], ["hub", "hub"]]) {
      const refused = await say({ messageId: crypto.randomUUID(), ...yes }, chain);
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("opened by the agent hub")]);
    }
    expect(paid()).toBe(0);
    const answered = await say({ messageId: "m2", ...yes }, ["hub"]);
    expect(await answered.json()).toMatchObject({ task: { status: { state: "TASK_STATE_COMPLETED" } } });
    expect(paid()).toBe(1);
  });
});
