// Fuzzed requests on both bindings of an agent and every route of the control plane: none is a server error, but for a 503 that says
// when to come again. `npm run test:fuzz` sends ten times as many; FUZZ_REQUESTS and FUZZ_SEED choose otherwise.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { mac } from "#shared/a2a/token.ts";
import controlPlane from "../../../workers/control-plane/index.ts";
import { fuzzed, randomOf, type FuzzedRequest, type Sample } from "../../support/fuzzed-requests.ts";
import { signedBy } from "../../support/test-signers.ts";
import { testAgent } from "../../support/test-agent.ts";

const SECRET = "a secret of the control plane, long enough";
const COUNT = Number(env.FUZZ_REQUESTS) / 2;
const SEED = Number(env.FUZZ_SEED);
/** Shares of the requests that run as tests of their own, so that each has its own time. */
const PARTS = 10;
const LIMIT_MS = 600_000;
const ANSWER_LIMIT_MS = 60_000;

const message = {
  messageId: "m",
  role: "ROLE_USER",
  contextId: "fuzz",
  parts: [{ text: "say hi" }, { data: { a: [1, "x"] } }],
  metadata: { a: 1 },
  extensions: ["x"],
  referenceTaskIds: ["t"],
};
const configuration = { historyLength: 3, returnImmediately: true, acceptedOutputModes: ["text/plain"] };
const version = { "a2a-version": "1.0" };
/** Each request is signed as it is sent. */
const SIGNED = "Bearer to be signed";
const asPeer = { ...version, authorization: SIGNED };

const rest: Sample[] = [
  { method: "POST", path: "/message:send", headers: version, body: { message, configuration } },
  { method: "POST", path: "/message:stream", headers: version, body: { message, configuration } },
  { method: "POST", path: "/message:send", headers: asPeer, body: { message: { ...message, contextId: "f~hub.1" } } },
  { method: "GET", path: "/tasks?contextId=fuzz&status=TASK_STATE_WORKING&pageSize=5&pageToken=x", headers: version },
  { method: "GET", path: "/tasks?statusTimestampAfter=2026-01-01T00:00:00Z&historyLength=1", headers: version },
  { method: "GET", path: "/tasks/fuzz.1.mac?historyLength=2", headers: version },
  { method: "POST", path: "/tasks/fuzz.1.mac:cancel", headers: version, body: { metadata: {} } },
  { method: "GET", path: "/tasks/fuzz.1.mac:subscribe", headers: version },
  { method: "GET", path: "/tasks/fuzz.1.mac/pushNotificationConfigs/x", headers: version },
  { method: "GET", path: "/tasks/fuzz.1.mac/pushNotificationConfigs?pageSize=2&pageToken=x", headers: version },
  {
    method: "POST",
    path: "/tasks/fuzz.1.mac/pushNotificationConfigs",
    headers: version,
    body: { url: "https://x.test" },
  },
  { method: "DELETE", path: "/tasks/fuzz.1.mac/pushNotificationConfigs/x", headers: version },
  { method: "GET", path: "/extendedAgentCard", headers: version },
  { method: "GET", path: "/.well-known/agent-card.json" },
  { method: "GET", path: "/.well-known/jwks.json" },
  { method: "GET", path: "/health" },
  {
    method: "POST",
    path: "/message:send",
    headers: { ...version, "A2A-Extensions": "urn:troupe:a2a:usage:1, urn:x", origin: "https://app.example" },
    body: {
      message: { ...message, messageId: "file", parts: [{ raw: "eA==", filename: "a.txt", mediaType: "text/plain" }] },
    },
  },
  {
    method: "OPTIONS",
    path: "/jsonrpc",
    headers: { origin: "https://app.example", "access-control-request-method": "POST" },
  },
];
const legacyMessage = { kind: "message", messageId: "m", role: "user", parts: [{ kind: "text", text: "say hi" }] };
const pushNotificationConfig = { url: "https://x.test", authentication: { schemes: ["Bearer"], credentials: "x" } };
const legacy: Sample[] = [
  ["message/send", { message: legacyMessage, configuration: { blocking: false, historyLength: 1 } }],
  ["message/stream", { message: { ...legacyMessage, contextId: "fuzz" } }],
  ["tasks/get", { id: "fuzz.1.mac", historyLength: 1 }],
  ["tasks/cancel", { id: "fuzz.1.mac" }],
  ["tasks/resubscribe", { id: "fuzz.1.mac" }],
  ["tasks/pushNotificationConfig/set", { taskId: "fuzz.1.mac", pushNotificationConfig }],
  ["tasks/pushNotificationConfig/get", { id: "fuzz.1.mac", pushNotificationConfigId: "x" }],
  ["tasks/pushNotificationConfig/list", { id: "fuzz.1.mac" }],
  ["tasks/pushNotificationConfig/delete", { id: "fuzz.1.mac", pushNotificationConfigId: "x" }],
  ["agent/getAuthenticatedExtendedCard", {}],
].map(([method, params], n) => {
  const body = { jsonrpc: "2.0", id: "x", method, params };
  return { method: "POST", path: n % 2 === 0 ? "/jsonrpc" : "/", headers: {}, body };
});
const rpc: Sample[] = [
  ["SendMessage", { message, configuration }],
  ["SendStreamingMessage", { message }],
  ["GetTask", { id: "fuzz.1.mac", historyLength: 1 }],
  ["ListTasks", { contextId: "fuzz", status: "TASK_STATE_WORKING", pageSize: 5, pageToken: "x" }],
  ["CancelTask", { id: "fuzz.1.mac" }],
  ["SubscribeToTask", { id: "fuzz.1.mac" }],
  ["GetExtendedAgentCard", {}],
  ["CreateTaskPushNotificationConfig", { taskId: "fuzz.1.mac", url: "http://localhost/" }],
  ["ListTaskPushNotificationConfigs", { taskId: "fuzz.1.mac", pageSize: 3, pageToken: "x" }],
  ["DeleteTaskPushNotificationConfig", { taskId: "fuzz.1.mac", id: "x" }],
].map(([method, params]) => {
  return { method: "POST", path: "/jsonrpc", headers: version, body: { jsonrpc: "2.0", id: 1, method, params } };
});

const job = "fuzz";
const authorization = `Bearer ${job}.${mac(SECRET, `job:${job}`)}`;
const owner = { query: "q", agent: "searcher", task: "t", life: 0 };
const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };
const price = { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
const reserve = {
  ...owner,
  limits: { maxTurns: 5, maxUsd: 1 },
  id: "a",
  inputTokens: 1,
  maxTokens: 9,
  waitMs: 0,
  price,
};
const span = {
  traceId: "5".repeat(32),
  spanId: "6".repeat(16),
  parentSpanId: "",
  name: "chat",
  kind: 3,
  startTimeUnixNano: "1790000000000000000",
  endTimeUnixNano: "1790000001000000000",
  attributes: [{ key: "gen_ai.operation.name", value: { stringValue: "chat" } }],
  events: [{ timeUnixNano: "1790000000500000000", name: "e", attributes: [] }],
  links: [{ traceId: "7".repeat(32), spanId: "8".repeat(16) }],
  status: { code: 2, message: "no" },
};
const resource = { attributes: [{ key: "service.name", value: { stringValue: "searcher" } }] };
const agent = {
  id: "searcher",
  name: "Searcher",
  description: "searches",
  version: "1.0.0",
  url: "http://127.0.0.1:9001",
  skills: [{ id: "s", name: "S", description: "d", tags: ["t"], examples: ["e"] }],
  intervalMs: 5_000,
  instance: "i",
};
const plane: Sample[] = [
  { method: "POST", path: "/agents/register", body: agent },
  { method: "POST", path: "/agents/searcher/heartbeat" },
  { method: "GET", path: "/agents/search?q=pages&skill=s&tag=t&limit=5" },
  { method: "GET", path: "/agents" },
  { method: "GET", path: "/agents/searcher" },
  { method: "DELETE", path: "/agents/searcher" },
  { method: "POST", path: "/v1/budgets/reserve", body: reserve },
  { method: "POST", path: "/v1/budgets/settle", body: { query: "q", id: "a", usage, price } },
  { method: "POST", path: "/v1/budgets/cut", body: { query: "q", id: "a" } },
  { method: "POST", path: "/v1/budgets/release", body: { query: "q", id: "a" } },
  { method: "POST", path: "/v1/budgets/cut-earlier-lives", body: owner },
  {
    method: "POST",
    path: "/v1/budgets/tool-calls",
    body: { query: "q", agent: "searcher", task: "t", limits: {}, id: "c", count: 1 },
  },
  { method: "POST", path: "/v1/budgets/time-up", body: { query: "q", limits: { maxWallMs: 5 }, spentMs: 6 } },
  { method: "GET", path: "/v1/budgets/q" },
  {
    method: "POST",
    path: "/v1/keys",
    body: { name: "ci", scopes: ["ask"], as: "local", expiresAt: "2100-01-01T00:00:00Z" },
  },
  { method: "GET", path: "/v1/keys" },
  { method: "DELETE", path: "/v1/keys/ci" },
  { method: "GET", path: `/v1/keys/hashes/${"5".repeat(64)}` },
  { method: "POST", path: "/v1/traces", body: { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] } },
  { method: "GET", path: "/v1/traces?limit=5&text=hello&status=error&agent=searcher&minMs=1&minCost=0&id=55" },
  { method: "DELETE", path: "/v1/traces?before=2020-01-01T00:00:00Z" },
  { method: "GET", path: `/v1/traces/${span.traceId}?after=0&limit=9` },
  { method: "GET", path: `/v1/traces/${span.traceId}/otlp?after=0&limit=9` },
  { method: "DELETE", path: `/v1/traces/${span.traceId}` },
  { method: "GET", path: "/health" },
  { method: "GET", path: "/openapi.json" },
].map((sample) => ({ headers: { authorization }, ...sample }));

type Ask = (request: Request) => Promise<Response>;

const askAgent: Ask = async (request) => {
  const ctx = createExecutionContext();
  if (request.headers.get("authorization") === SIGNED) {
    const { pathname, search } = new URL(request.url);
    const about = { method: request.method, path: pathname + search, body: await request.clone().bytes() };
    const { authorization } = signedBy({ from: "hub", chain: ["hub"], query: "q" }, about);
    request.headers.set("authorization", authorization);
  }
  const response = await testAgent.worker.fetch(request, env, ctx);
  void waitOnExecutionContext(ctx);
  return response;
};
const askPlane: Ask = async (request) =>
  controlPlane.fetch(request, { ...env, TROUPE_SECRET: SECRET }, createExecutionContext());

test("the requests that are fuzzed are good ones as they are", async () => {
  const asked: [Ask, Sample[]][] = [
    [askAgent, [...rest, ...rpc, ...legacy]],
    [askPlane, plane],
  ];
  const refused: string[] = [];
  for (const [ask, samples] of asked) {
    for (const { method, path, headers, body } of samples) {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const type = body === undefined ? {} : { "content-type": "application/json" };
      const init = { method, headers: { ...headers, ...type }, ...json };
      const [response] = await answerTo(ask, new Request(`http://localhost${path}`, init));
      // Ids of tasks are none that were given, and what is not offered is refused.
      if (response.status >= 400 && !/fuzz\.1\.mac|pageToken=x|extendedAgentCard|55555|search/.test(path))
        refused.push(`${method} ${path}: ${response.status}`);
    }
  }
  expect(refused).toEqual([]);
});

const parts = Array.from({ length: PARTS }, (_, part) => part);

test.each(parts)("an agent answers whatever is sent to it, part %i", { timeout: LIMIT_MS }, async (part) => {
  expect(await faultsOf(askAgent, [...rest, ...rpc, ...legacy], SEED * 1_000 + part)).toEqual([]);
});

test.each(parts)("the control plane answers whatever is sent to it, part %i", { timeout: LIMIT_MS }, async (part) => {
  expect(await faultsOf(askPlane, plane, SEED * 1_000 + 500 + part)).toEqual([]);
});

/** What was answered with a fault of the server's, as much of it as explains it. */
async function faultsOf(ask: Ask, samples: readonly Sample[], seed: number): Promise<string[]> {
  const random = randomOf(seed);
  const faults: string[] = [];
  for (let n = 0; n < COUNT / PARTS; n++) {
    const made = fuzzed(samples, random);
    const fault = await faultOf(ask, made);
    if (fault !== undefined) faults.push(`seed ${seed}, request ${n}: ${shown(made)}: ${fault}`);
    if (faults.length >= 5) break;
  }
  return faults;
}

async function faultOf(ask: Ask, { path, ...init }: FuzzedRequest): Promise<string | undefined> {
  let request: Request;
  try {
    request = new Request(`http://localhost${path.startsWith("/") ? "" : "/"}${path}`, init);
  } catch {
    // No client can send it.
    return undefined;
  }
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), ANSWER_LIMIT_MS);
  const answered = await Promise.race([answerTo(ask, request), late.promise]);
  clearTimeout(timer);
  if (answered === "late") return `no answer within ${ANSWER_LIMIT_MS / 1000} s`;
  const [response, body] = answered;
  if (response.status === 503 && response.headers.has("retry-after")) return undefined;
  // An internal error in an envelope is one all the same.
  if (response.status >= 500 || body.includes('"code":-32603')) return `${response.status} ${body.slice(0, 300)}`;
  return undefined;
}

async function answerTo(ask: Ask, request: Request): Promise<[response: Response, body: string]> {
  const response = await ask(request);
  return [response, await response.text()];
}

function shown({ method, path, headers, body }: FuzzedRequest): string {
  const text = typeof body === "string" ? body.slice(0, 300) : body === undefined ? "" : "(bytes)";
  return `${method} ${path.slice(0, 200)} ${JSON.stringify(headers).slice(0, 200)} ${JSON.stringify(text)}`;
}
