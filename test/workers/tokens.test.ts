// Who may do what at the control plane: each endpoint with each kind of credentials.
import { env as bindings } from "cloudflare:workers";
import { expect, test } from "vitest";
import { hashOfKey } from "#shared/control-plane/keys.ts";
import { tokenFor } from "#shared/control-plane/token.ts";
import controlPlane from "../../workers/control-plane/index.ts";

const SECRET = "a secret of the control plane, long enough";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const ME = "searcher";

const agent = {
  id: ME,
  name: "Searcher",
  description: "Searches the web",
  version: "1.0.0",
  url: "http://127.0.0.1:9001/",
  skills: [],
  intervalMs: 5000,
};
const call = { query: "q", id: `${ME}:t:0:1` };
const limits = { maxTurns: 10 };
const reserve = { ...call, limits, agent: ME, task: "t", life: 0, inputTokens: 1, maxTokens: 1 };
const toolCalls = { ...call, limits, agent: ME, task: "t", count: 1 };
const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };

function spans(of: string, spanId = "b7ad6b7169203331", ended = true) {
  const now = `${Date.now()}000000`;
  const span = { traceId: TRACE, spanId, name: of, kind: 1, startTimeUnixNano: now };
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: of } }] },
        scopeSpans: [{ spans: [{ ...span, endTimeUnixNano: ended ? now : "0" }] }],
      },
    ],
  };
}

async function request(token: string | undefined, method: string, path: string, body?: object) {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body ? { "content-type": "application/json" } : {}),
  };
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  return controlPlane.request(`http://localhost${path}`, init, { ...bindings, TROUPE_SECRET: SECRET });
}

const SENDERS = ["nobody", "the agent", "another agent", "a key to operate", "the deployment"] as const;

async function tokensOf(job: string): Promise<Record<(typeof SENDERS)[number], string | undefined>> {
  const own = tokenFor(SECRET, job);
  const made = await request(own, "POST", "/v1/keys", { name: "ops", scopes: ["operate"] });
  return {
    nobody: undefined,
    "the agent": tokenFor(SECRET, job, ME),
    "another agent": tokenFor(SECRET, job, "other"),
    "a key to operate": (await made.json<{ key: string }>()).key,
    "the deployment": own,
  };
}

/** In this order: what deletes comes last. */
const TABLE: [method: string, path: string, body: object | undefined, ...codes: number[]][] = [
  ["GET", "/health", undefined, 200, 200, 200, 200, 200],
  ["GET", "/agents", undefined, 401, 200, 200, 200, 200],
  ["GET", "/agents/search", undefined, 401, 200, 200, 200, 200],
  ["GET", "/agents/{id}", undefined, 401, 200, 200, 200, 200],
  ["POST", "/agents/register", agent, 401, 201, 403, 403, 201],
  ["POST", "/agents/{id}/heartbeat", undefined, 401, 200, 403, 403, 200],
  ["POST", "/v1/traces", spans(ME), 401, 200, 200, 401, 200],
  ["GET", "/v1/traces", undefined, 401, 403, 403, 200, 200],
  ["GET", "/v1/traces/{id}", undefined, 401, 403, 403, 200, 200],
  ["GET", "/v1/traces/{id}/otlp", undefined, 401, 403, 403, 200, 200],
  ["POST", "/v1/budgets/reserve", reserve, 401, 200, 403, 403, 200],
  ["POST", "/v1/budgets/settle", { ...call, usage }, 401, 204, 403, 403, 204],
  ["POST", "/v1/budgets/cut", call, 401, 204, 403, 403, 204],
  ["POST", "/v1/budgets/cut-earlier-lives", { query: "q", agent: ME, task: "t", life: 0 }, 401, 204, 403, 403, 204],
  ["POST", "/v1/budgets/release", call, 401, 204, 403, 403, 204],
  ["POST", "/v1/budgets/tool-calls", toolCalls, 401, 200, 403, 403, 200],
  ["GET", "/v1/budgets/{query}", undefined, 401, 403, 403, 200, 200],
  ["POST", "/v1/budgets/time-up", { query: "q", limits, spentMs: 1 }, 401, 200, 200, 403, 200],
  ["GET", "/v1/keys", undefined, 401, 403, 403, 403, 200],
  ["POST", "/v1/keys", { name: "more", scopes: ["approve"], as: "local" }, 401, 403, 403, 403, 201],
  ["GET", "/v1/keys/hashes/{hash}", undefined, 401, 200, 200, 403, 200],
  ["DELETE", "/v1/traces", undefined, 401, 403, 403, 200, 200],
  ["DELETE", "/v1/traces/{id}", undefined, 401, 403, 403, 204, 204],
  ["DELETE", "/agents/{id}", undefined, 401, 204, 403, 204, 204],
  ["DELETE", "/v1/keys/{name}", undefined, 401, 403, 403, 403, 204],
];

test.each(SENDERS.map((sender, index) => [sender, index] as const))(
  "what %s may do at each endpoint of the control plane",
  async (sender, index) => {
    const job = `tokens-${index}`;
    const tokens = await tokensOf(job);
    const seeds: [string, object][] = [
      ["/agents/register", agent],
      ["/v1/traces", spans(ME)],
      ["/v1/budgets/reserve", reserve],
    ];
    for (const [path, body] of seeds) expect((await request(tokenFor(SECRET, job), "POST", path, body)).ok).toBe(true);
    const hash = hashOfKey(tokens["a key to operate"] ?? "");
    const actual = [];
    for (const [method, path, body] of TABLE) {
      const of = path.startsWith("/agents") ? ME : TRACE;
      const filled = path.replace("{id}", of).replace("{query}", "q").replace("{hash}", hash).replace("{name}", "ops");
      const query = method === "DELETE" && path === "/v1/traces" ? "?before=2020-01-01T00:00:00Z" : "";
      actual.push([method, path, (await request(tokens[sender], method, filled + query, body)).status]);
    }
    expect(actual).toEqual(TABLE.map(([method, path, , ...codes]) => [method, path, codes[index]]));
  },
);

test("the table has every endpoint that the control plane describes", async () => {
  const document = await (await request(undefined, "GET", "/openapi.json")).json<{ paths: Record<string, object> }>();
  const served = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).flatMap((method) => (method === "parameters" ? [] : [`${method.toUpperCase()} ${path}`])),
  );
  expect(TABLE.map(([method, path]) => `${method} ${path}`).toSorted()).toEqual(served.toSorted());
});

interface Accepted {
  readonly partialSuccess?: { readonly rejectedSpans: number; readonly errorMessage: string };
}

test("an agent's spans are its own: those in another's name are refused", async () => {
  const token = tokenFor(SECRET, "own-spans", ME);
  const mixed = { resourceSpans: [...spans(ME).resourceSpans, ...spans("other", "00f067aa0ba902b7").resourceSpans] };
  const response = await request(token, "POST", "/v1/traces", mixed);
  expect(await response.json<Accepted>()).toMatchObject({
    partialSuccess: {
      rejectedSpans: expect.anything(),
      errorMessage: expect.stringContaining('the agent searcher may not speak for "other"'),
    },
  });
  const stored = await request(tokenFor(SECRET, "own-spans"), "GET", `/v1/traces/${TRACE}/otlp`);
  const text = await stored.text();
  expect([text.includes("b7ad6b7169203331"), text.includes("00f067aa0ba902b7")]).toEqual([true, false]);
});

test("an agent ends no span that another has begun", async () => {
  const job = "foreign-spans";
  await request(tokenFor(SECRET, job, ME), "POST", "/v1/traces", spans(ME, undefined, false));
  const response = await request(tokenFor(SECRET, job, "other"), "POST", "/v1/traces", spans("other"));
  expect(JSON.stringify(await response.json())).toContain("another agent has begun a span of this id");
  const own = await request(tokenFor(SECRET, job, ME), "POST", "/v1/traces", spans(ME));
  expect(await own.json<Accepted>()).toEqual({});
});

test("an agent books no call of another, whose id it knows", async () => {
  const token = tokenFor(SECRET, "calls", "other");
  for (const operation of ["settle", "cut", "release"]) {
    const refused = await request(token, "POST", `/v1/budgets/${operation}`, {
      ...call,
      ...(operation === "settle" ? { usage } : {}),
    });
    expect([operation, refused.status]).toEqual([operation, 403]);
  }
  const disguised = await request(token, "POST", "/v1/budgets/reserve", { ...reserve, agent: "other" });
  expect(disguised.status).toBe(403);
});
