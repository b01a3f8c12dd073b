import { env as bindings } from "cloudflare:workers";
import { expect, test } from "vitest";
import { mac } from "#shared/a2a/token.ts";
import { tokenFor } from "#shared/control-plane/token.ts";
import controlPlane from "../../workers/control-plane/index.ts";

const SECRET = "a secret of the control plane, long enough";
const ORIGIN = "http://localhost";

test("the document, the health check and nothing else are open to everybody", async () => {
  expect((await call("GET", "/health", { token: null })).status).toBe(200);
  expect((await call("GET", "/openapi.json", { token: null })).status).toBe(200);
  expect((await call("GET", "/agents", { token: null })).status).toBe(401);
});

test.for([
  ["without a token", null],
  ["with a forged token", `alpha.${mac("guessed", "job:alpha")}`],
  ["with another job's signature", `beta.${mac(SECRET, "job:alpha")}`],
  ["with a signature cut short", `alpha.${mac(SECRET, "job:alpha").slice(0, 42)}`],
  ["with the job's signature for an agent", `alpha.searcher.${mac(SECRET, "job:alpha")}`],
  ["with another agent's signature", `alpha.searcher.${mac(SECRET, "agent:alpha:other")}`],
  ["with a signature for an agent as the job's", `alpha.${mac(SECRET, "agent:alpha:searcher")}`],
  ["with a name that is no agent", `alpha.A-b.${mac(SECRET, "agent:alpha:A-b")}`],
  ["with four parts", `alpha.a.b.${mac(SECRET, "agent:alpha:a.b")}`],
  ["with a name that is no job", `Alpha!.${mac(SECRET, "job:Alpha!")}`],
] as const)("a request %s is refused", async ([, token]) => {
  const response = await call("GET", "/agents", { token });
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toBe("Bearer");
  expect(response.headers.get("content-type")).toBe("application/problem+json");
});

test.for([
  ["no secret", {}],
  ["an empty secret", { TROUPE_SECRET: "" }],
  ["a secret of 31 characters", { TROUPE_SECRET: "s".repeat(31) }],
  ["a secret of 31 characters, whatever the mode", { TROUPE_SECRET: "s".repeat(31), TROUPE_DEVELOPMENT: "true" }],
  ["a mode that is not spelled out", { TROUPE_DEVELOPMENT: "" }],
] as const)(
  "with %s nothing is served, to this machine neither, and the answer says what to set",
  async ([, settings]) => {
    for (const path of ["/agents", "/health", "/openapi.json", "/v1/traces", "/v1/budgets/q"]) {
      const refused = await controlPlane.request(`http://localhost:8787${path}`, {}, { ...bindings, ...settings });
      expect([path, refused.status]).toEqual([path, 503]);
      expect(await refused.text()).toContain("wrangler secret put TROUPE_SECRET");
    }
  },
);

test("in development requests to this machine count as the job local, and no others are served", async () => {
  const open = { ...bindings, TROUPE_DEVELOPMENT: "true" };
  expect((await controlPlane.request("http://localhost:8787/agents", {}, open)).status).toBe(200);
  expect((await controlPlane.request("http://[::1]:8787/agents", {}, open)).status).toBe(200);
  const TROUPE_URL = "https://control.example";
  const refused = await controlPlane.request(`${TROUPE_URL}/agents`, {}, { ...open, TROUPE_URL });
  expect(refused.status).toBe(503);
  expect(await refused.text()).toContain("only requests to localhost");
});

test("the token decides the job: one job does not see another's agents", async () => {
  expect((await call("POST", "/agents/register", { body: AGENT, token: tokenOf("one") })).status).toBe(201);
  expect(await (await call("GET", "/agents", { token: tokenOf("one") })).json()).toMatchObject({
    agents: [{ id: "searcher" }],
  });
  expect(await (await call("GET", "/agents", { token: tokenOf("two") })).json()).toEqual({ agents: [] });
});

test("an agent's token speaks for that agent alone, and makes no keys", async () => {
  const [searcher, other] = [tokenFor(SECRET, "agents", "searcher"), tokenFor(SECRET, "agents", "other")];
  const share = { query: "q", agent: "searcher", task: "t", life: 0 };
  const own: [string, string, object?][] = [
    ["POST", "/agents/register", AGENT],
    ["POST", "/agents/searcher/heartbeat"],
    ["POST", "/v1/budgets/cut-earlier-lives", share],
    ["DELETE", "/agents/searcher"],
  ];
  for (const [method, path, body] of own) {
    const refused = await call(method, path, { token: other, ...(body && { body }) });
    expect([path, refused.status, await refused.text()]).toEqual([
      path,
      403,
      expect.stringContaining("The agent other may not"),
    ]);
    expect((await call(method, path, { token: searcher, ...(body && { body }) })).ok).toBe(true);
  }
  const ofJob: [string, string, object?][] = [
    ["GET", "/v1/keys"],
    ["POST", "/v1/keys", { name: "a", scopes: ["ask"], as: "local" }],
    ["DELETE", "/v1/keys/a"],
  ];
  for (const [method, path, body] of ofJob)
    expect((await call(method, path, { token: searcher, ...(body && { body }) })).status).toBe(403);
  // What all of them read.
  for (const path of ["/agents", "/agents/search?q=x"])
    expect((await call("GET", path, { token: other })).status).toBe(200);
});

test("an agent is registered, renewed, found, shown and removed", async () => {
  const token = tokenOf("life");
  const registered = await call("POST", "/agents/register", { body: AGENT, token });
  expect(await registered.json()).toEqual({ id: "searcher", state: "alive", intervalMs: 5000, leaseMs: 15_000 });
  expect(await (await call("POST", "/agents/searcher/heartbeat", { token })).json()).toEqual({
    state: "alive",
    leaseMs: 15_000,
  });
  const search = await call("GET", "/agents/search?q=pages&skill=web_search&tag=search&limit=5", { token });
  expect(await search.json()).toMatchObject({
    agents: [{ id: "searcher", state: "alive", score: expect.any(Number) }],
  });
  expect(await (await call("GET", "/agents/searcher", { token })).json()).toMatchObject({
    url: "http://127.0.0.1:9001",
  });
  expect((await call("DELETE", "/agents/searcher", { token })).status).toBe(204);
  expect((await call("GET", "/agents/searcher", { token })).status).toBe(404);
});

test("agents are listed page by page, and a page holds no more than a client can take", async () => {
  const token = tokenOf("pages");
  const register = async (id: string, text = "Searches the web") => {
    const skill = { ...AGENT.skills[0], examples: Array.from({ length: 50 }, () => text) };
    await call("POST", "/agents/register", { token, body: { ...AGENT, id, skills: [skill] } });
  };
  for (const id of ["a", "b", "c"]) await register(id);
  const idsOf = async (query: string) => {
    const { agents, next }: { agents: { id: string }[]; next?: string } = await (
      await call("GET", `/agents?${query}`, { token })
    ).json();
    return [agents.map(({ id }) => id), next];
  };
  expect(await idsOf("")).toEqual([["a", "b", "c"], undefined]);
  expect(await idsOf("limit=2")).toEqual([["a", "b"], "b"]);
  expect(await idsOf("limit=2&after=b")).toEqual([["c"], undefined]);
  for (let n = 0; n < 24; n++) await register(`large_${n}`, "x".repeat(1000));
  const [ids, next] = await idsOf("");
  expect(ids?.length).toBeLessThan(24);
  expect(next).toBe(ids?.at(-1));
  expect((await call("GET", "/agents?limit=0", { token })).status).toBe(400);
});

test("a heartbeat of an unknown agent has a type that tells the agent to register again", async () => {
  await call("POST", "/agents/register", { body: AGENT, token: tokenOf("typo") });
  const response = await call("POST", "/agents/sercher/heartbeat", { token: tokenOf("typo") });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    type: expect.stringMatching(/\/unknown-agent$/),
    detail: 'The job "typo" has no agent "sercher". Did you mean "searcher"?',
  });
});

test.for([
  ["malformed JSON", 400, "{", "application/json", "not JSON"],
  ["text", 415, "hello", "text/plain", 'is "text/plain"'],
  ["300 KB", 413, `"${"x".repeat(300 * 1024)}"`, "application/json", "262144 bytes"],
  ["a list", 400, "[]", "application/json", "expected object"],
  ["a bad id", 400, JSON.stringify({ ...agent(), id: "Search!" }), "application/json", "must begin with a-z"],
  ["a file URL", 400, JSON.stringify({ ...agent(), url: "file:///etc/passwd" }), "application/json", "http or https"],
  ["a URL with a password", 400, JSON.stringify({ ...agent(), url: "http://a:b@c" }), "application/json", "password"],
  ["no interval", 400, JSON.stringify({ ...agent(), intervalMs: 0 }), "application/json", "intervalMs"],
] as const)("a registration that is %s gets %d and a detail that says why", async ([, status, body, type, detail]) => {
  const response = await controlPlane.request(
    `${ORIGIN}/agents/register`,
    { method: "POST", body, headers: { "content-type": type, authorization: `Bearer ${tokenOf("bad")}` } },
    { ...bindings, TROUPE_SECRET: SECRET },
  );
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ status, detail: expect.stringContaining(detail) });
});

test("a path that exists answers the wrong method with the right ones", async () => {
  const token = tokenOf("methods");
  for (const [method, path, allow] of [
    ["PUT", "/agents", "GET"],
    ["GET", "/agents/register", "POST"],
    ["POST", "/agents/search", "GET"],
    ["GET", "/agents/searcher/heartbeat", "POST"],
    ["PATCH", "/agents/searcher", "GET, DELETE"],
  ] as const) {
    const response = await call(method, path, { token });
    expect([path, response.status, response.headers.get("allow")]).toEqual([path, 405, allow]);
  }
});

test("a limit that is no number is refused", async () => {
  const response = await call("GET", "/agents/search?limit=many", { token: tokenOf("limit") });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("limit");
});

test("the OpenAPI document describes every path that is served, and its references lead somewhere", async () => {
  const text = await (await call("GET", "/openapi.json", { token: null })).text();
  const document: { openapi: string; paths: object; components: { schemas: object } } = JSON.parse(text);
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths).sort()).toEqual([
    "/agents",
    "/agents/register",
    "/agents/search",
    "/agents/{id}",
    "/agents/{id}/heartbeat",
    "/health",
    "/v1/budgets/cut",
    "/v1/budgets/cut-earlier-lives",
    "/v1/budgets/release",
    "/v1/budgets/reserve",
    "/v1/budgets/settle",
    "/v1/budgets/time-up",
    "/v1/budgets/tool-calls",
    "/v1/budgets/{query}",
    "/v1/keys",
    "/v1/keys/hashes/{hash}",
    "/v1/keys/{name}",
    "/v1/traces",
    "/v1/traces/{id}",
    "/v1/traces/{id}/otlp",
  ]);
  for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
    expect(Object.keys(document.components.schemas)).toContain(name);
  }
});

const AGENT = agent();

function agent() {
  const skill = { id: "web_search", name: "Web search", description: "Finds pages", tags: ["search"] };
  return {
    id: "searcher",
    name: "Searcher",
    description: "Searches the web",
    version: "1.0.0",
    url: "http://127.0.0.1:9001/",
    skills: [skill],
    intervalMs: 5000,
  };
}

function tokenOf(job: string): string {
  return `${job}.${mac(SECRET, `job:${job}`)}`;
}

function call(method: string, path: string, { token, body }: { token: string | null; body?: object }) {
  const headers = new Headers();
  if (token) headers.set("authorization", `Bearer ${token}`);
  if (body) headers.set("content-type", "application/json");
  const init: RequestInit = { method, headers };
  if (body) init.body = JSON.stringify(body);
  return controlPlane.request(ORIGIN + path, init, { ...bindings, TROUPE_SECRET: SECRET });
}

test("what a foreign page or a malformed credential sends is refused at every path", async () => {
  const env = { ...bindings, TROUPE_SECRET: SECRET };
  for (const path of ["/health", "/openapi.json", "/agents", "/v1/traces", "/v1/budgets/x"]) {
    const authorization = `Bearer ${tokenOf("alpha")}`;
    const foreign = await controlPlane.request(`http://evil.example${path}`, { headers: { authorization } }, env);
    expect(foreign.status).toBe(403);
    const page = { authorization, origin: "http://evil.example" };
    expect((await controlPlane.request(ORIGIN + path, { headers: page }, env)).status).toBe(403);
    for (const malformed of ["Basic x", "Bearer a b", "Token x", ""]) {
      const refused = await controlPlane.request(ORIGIN + path, { headers: { authorization: malformed } }, env);
      expect(refused.status).toBe(401);
    }
  }
});
