// Accounts at an agent: keys of the real control plane, what they open, and what each account sees.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { AgentCard } from "@a2a-js/sdk";
import { afterEach, expect, it, vi } from "vitest";
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import { tokenFor } from "#shared/control-plane/token.ts";
import controlPlane from "../../../workers/control-plane/index.ts";
import { signedBy } from "../../support/test-signers.ts";
import { effects, testAgent } from "../../support/test-agent.ts";

const SECRET = "a secret of the control plane, long enough";
const TROUPE_TOKEN = tokenFor(SECRET, "tests", "tester");

let isAway = false;
/** As it comes to the control plane's socket. */
const atLocalhost = async (request: Request) =>
  controlPlane.fetch(
    new Request(request.url.replace("https://control-plane", "http://localhost"), request),
    { ...env, TROUPE_SECRET: SECRET },
    createExecutionContext(),
  );
const CONTROL_PLANE = {
  fetch: async (input: RequestInfo | URL, init?: RequestInit) =>
    isAway ? new Response("away", { status: 502 }) : atLocalhost(new Request(input, init)),
};
const withAccounts = (accounts: string) => ({
  ...env,
  TROUPE_TOKEN,
  CONTROL_PLANE,
  AGENT: Object.assign({}, env.AGENT, { accounts }),
});
const required = withAccounts("required");
const optional = withAccounts("optional");

afterEach(() => {
  isAway = false;
  vi.useRealTimers();
});

interface Sent {
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly body?: object | string;
  readonly to?: typeof required;
}

async function call(path: string, { key, headers = {}, body, to = required }: Sent = {}) {
  const ctx = createExecutionContext();
  const all = {
    "a2a-version": "1.0",
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...headers,
  };
  const init = {
    headers: all,
    ...(body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
  const response = await testAgent.worker.fetch(new Request(`https://tester.test${path}`, init), to, ctx);
  void waitOnExecutionContext(ctx);
  return response;
}

async function atPlane(method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${tokenFor(SECRET, "tests")}`, "content-type": "application/json" };
  return CONTROL_PLANE.fetch(`https://control-plane/v1/keys${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
}

async function makeKey(name: string, scopes: string[], more: object = {}): Promise<string> {
  const made = await atPlane("POST", "", { name, scopes, ...more });
  expect(made.status).toBe(201);
  return (await made.json<{ key: string }>()).key;
}

const saying = (text: string, more: object = {}) => ({
  message: { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text }], ...more },
});
const taskOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return (await response.json<{ task: { id: string; contextId: string; status: { state: string } } }>()).task;
};

it("where accounts are required, nobody without a key reads, asks or answers anything", async () => {
  for (const path of ["/tasks", "/tasks/x", "/nowhere", "/extendedAgentCard"]) {
    const refused = await call(path);
    expect([path, refused.status, refused.headers.get("www-authenticate")]).toEqual([path, 401, "Bearer"]);
  }
  const rest = await call("/message:send", { body: saying("hi") });
  expect([rest.status, await rest.json()]).toEqual([
    401,
    { error: expect.objectContaining({ code: 401, status: "UNAUTHENTICATED" }) },
  ]);
  const rpc = await call("/jsonrpc", { body: { jsonrpc: "2.0", id: 1, method: "SendMessage", params: saying("hi") } });
  expect([rpc.status, await rpc.json()]).toEqual([
    401,
    { jsonrpc: "2.0", id: null, error: expect.objectContaining({ code: -32000 }) },
  ]);
});

it("the card and the health check are open, and the card says what to send", async () => {
  expect((await call("/health")).status).toBe(200);
  const json = await (await call("/.well-known/agent-card.json")).json();
  const legacy = { headers: { "a2a-version": "0.3" } };
  expect(await (await call("/.well-known/agent-card.json", legacy)).json()).toMatchObject({
    securitySchemes: { key: { type: "http", scheme: "Bearer" } },
    security: [{ key: [] }],
  });
  const card = AgentCard.fromJSON(json);
  expect(card.securityRequirements).toEqual([{ schemes: { key: { list: [] } } }]);
  expect(card.securitySchemes["key"]?.scheme).toMatchObject({
    $case: "httpAuthSecurityScheme",
    value: { scheme: "Bearer" },
  });
  const open = AgentCard.fromJSON(await (await call("/.well-known/agent-card.json", { to: optional })).json());
  expect(open.securityRequirements).toEqual([]);
});

it.each([
  ["that was never made", `troupe_tests_${"A".repeat(65)}`],
  ["of another job", `troupe_other_${"A".repeat(65)}`],
  ["that is cut short", "troupe_tests_AAAA"],
  ["of another form", "sk-1234"],
])("a key %s is refused, where keys are required and where they are not", async (_, key) => {
  for (const to of [required, optional])
    for (const path of ["/tasks", "/.well-known/agent-card.json", "/health"])
      expect((await call(path, { key, to })).status).toBe(401);
});

it("an account sees its own tasks, and another's are as if they were not there", async () => {
  const [mine, other] = [await makeKey("mine", ["ask", "read"]), await makeKey("other", ["ask", "read"])];
  const task = await taskOf(
    await call("/message:send", { key: mine, body: saying("say mine", { contextId: "shared-name" }) }),
  );
  const path = `/tasks/${task.id}`;
  expect((await call(path, { key: mine })).status).toBe(200);
  const answer = async (id: string, key?: string) => {
    const response = await call(`/tasks/${id}`, key === undefined ? { to: optional } : { key });
    return [response.status, (await response.text()).replaceAll(id, "ID")];
  };
  const missing = await answer(`${task.id.slice(0, -1)}${task.id.endsWith("A") ? "B" : "A"}`, other);
  expect(missing[0]).toBe(404);
  expect(await answer(task.id, other)).toEqual(missing);
  // Also the person at the machine is another account.
  expect(await answer(task.id)).toEqual(missing);
  const list = await (await call("/tasks", { key: other })).json<{ tasks: object[] }>();
  expect(list.tasks).toEqual([]);
  // The same contextId is another conversation.
  const theirs = await taskOf(
    await call("/message:send", { key: other, body: saying("say theirs", { contextId: "shared-name" }) }),
  );
  expect(theirs.id).not.toBe(task.id);
});

it("a key made as local goes on with the conversations of this machine", async () => {
  const task = await taskOf(await call("/message:send", { to: optional, body: saying("say before") }));
  const key = await makeKey("as-local", ["read"], { as: "local" });
  expect((await call(`/tasks/${task.id}`, { key })).status).toBe(200);
});

it("a key does what its scopes say, and is told which one it lacks", async () => {
  const [asks, reads, approves] = [
    await makeKey("asks", ["ask"], { as: "local" }),
    await makeKey("reads", ["read"], { as: "local" }),
    await makeKey("approves", ["approve"], { as: "local" }),
  ];
  const pay = saying('call pay {"to":"shop","amount":3}', { contextId: "scoped" });
  for (const key of [reads, approves]) {
    const refused = await call("/message:send", { key, body: pay });
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining("needs a key with the scope ask"),
    ]);
  }
  const task = await taskOf(await call("/message:send", { key: asks, body: pay }));
  expect(task.status.state).toBe("TASK_STATE_INPUT_REQUIRED");
  for (const key of [asks, approves]) expect((await call(`/tasks/${task.id}`, { key })).status).toBe(403);
  const seen = await (await call(`/tasks/${task.id}`, { key: reads })).text();
  const [id] = /ap_[\w-]+/.exec(seen) ?? [];
  const yes = saying("", { taskId: task.id, parts: [{ data: { approvals: [{ id, decision: "allow" }] } }] });
  const rpc = { jsonrpc: "2.0", id: 5, method: "SendMessage", params: yes };
  for (const key of [asks, reads]) {
    const refused = await call("/jsonrpc", { key, body: rpc });
    expect([refused.status, await refused.json()]).toMatchObject([403, { id: 5, error: { code: -32000 } }]);
    expect((await call(`/tasks/${task.id}:cancel`, { key: approves, body: {} })).status).toBe(403);
  }
  expect(effects).not.toContain("paid shop 3");
  expect((await taskOf(await call("/message:send", { key: approves, body: yes }))).status.state).toBe(
    "TASK_STATE_COMPLETED",
  );
  expect(effects).toContain("paid shop 3");
});

it("a revoked key is refused within five seconds", async () => {
  const key = await makeKey("revoked", ["read"]);
  expect((await call("/tasks", { key })).status).toBe(200);
  expect((await atPlane("DELETE", "/revoked")).status).toBe(204);
  vi.useFakeTimers({ now: Date.now() + 5_000, toFake: ["Date"] });
  expect((await call("/tasks", { key })).status).toBe(401);
});

it("without the control plane a known key goes on for five minutes, and an unknown one gets a 503", async () => {
  const [known, fresh] = [await makeKey("known", ["read"]), await makeKey("fresh", ["read"])];
  expect((await call("/tasks", { key: known })).status).toBe(200);
  isAway = true;
  const refused = await call("/tasks", { key: fresh });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  const now = Date.now();
  vi.useFakeTimers({ now: now + 290_000, toFake: ["Date"] });
  expect((await call("/tasks", { key: known })).status).toBe(200);
  vi.setSystemTime(now + 310_000);
  expect((await call("/tasks", { key: known })).status).toBe(503);
});

it("a client of 0.3 needs the same key and the same scope", async () => {
  const [asks, reads] = [await makeKey("old-asks", ["ask"]), await makeKey("old-reads", ["read"])];
  const params = {
    message: { kind: "message", messageId: "m", role: "user", parts: [{ kind: "text", text: "say hi" }] },
  };
  const body = { jsonrpc: "2.0", id: 1, method: "message/send", params };
  const say = async (key?: string) =>
    (await call("/jsonrpc", { ...(key === undefined ? {} : { key }), body, headers: { "a2a-version": "0.3" } })).status;
  expect([await say(), await say(reads), await say(asks)]).toEqual([401, 403, 200]);
});

it("an account that asks too often gets a 429 in the form of its binding, and the others go on", async () => {
  const [hasty, calm] = [await makeKey("hasty", ["read"]), await makeKey("calm", ["read"])];
  vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
  const codes = [];
  for (let n = 0; n < 500; n++) codes.push((await call("/tasks/none", { key: hasty })).status);
  expect(new Set(codes)).toEqual(new Set([404]));
  const rest = await call("/tasks/none", { key: hasty });
  expect([rest.status, rest.headers.get("retry-after"), await rest.json()]).toEqual([
    429,
    "1",
    { error: expect.objectContaining({ code: 429, status: "RESOURCE_EXHAUSTED" }) },
  ]);
  const body = { jsonrpc: "2.0", id: 1, method: "GetTask", params: { id: "none" } };
  const rpc = await call("/jsonrpc", { key: hasty, body });
  expect([rpc.status, await rpc.json()]).toMatchObject([429, { error: { code: -32000 } }]);
  expect((await call("/tasks/none", { key: calm })).status).toBe(404);
});

it("agents and the command line need no key", async () => {
  const message = { messageId: "m", role: "ROLE_USER", contextId: "keyless~other.1", parts: [{ text: "say hi" }] };
  const body = JSON.stringify({ message });
  const request = { method: "POST", path: "/message:send", body, messageId: "m" };
  expect((await call("/message:send", { body, headers: signedBy({}, request) })).status).toBe(200);
  const listed = { method: "GET", path: "/tasks" };
  expect((await call("/tasks", { headers: signedBy({ from: COMMAND_LINE, chain: [] }, listed) })).status).toBe(200);
});

it.each(["Basic x", "Bearer a b", "Token x", "Bearer", "", "Bearer x.y", "bearer a.b.c"])(
  "%j is a 401 at every path where accounts are required",
  async (authorization) => {
    for (const path of ["/tasks", "/.well-known/agent-card.json", "/health", "/nowhere"])
      expect((await call(path, { headers: { authorization } })).status).toBe(401);
  },
);

it("foreign hosts and origins are refused with a key, too", async () => {
  const key = await makeKey("foreign", ["read"]);
  const headers = { "a2a-version": "1.0", authorization: `Bearer ${key}` };
  const rebound = new Request("http://evil.example:9001/tasks", { headers });
  expect((await testAgent.worker.fetch(rebound, required, createExecutionContext())).status).toBe(403);
  for (const origin of ["http://evil.example", "null"])
    expect((await call("/tasks", { key, headers: { origin } })).status).toBe(403);
});
