import { reachBinding } from "#shared/http/reach.ts";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import type { ToolCall } from "#shared/loop/tools/tool.ts";
import { SILENT } from "../../shared/tracing/tracer.ts";
import { NO_PEERS } from "../support/no-peers.ts";
import { corpusRoutes } from "../../workers/agents/searcher/corpus-routes.ts";
import { webSearch } from "../../workers/agents/searcher/web-search.ts";

const FILE = { path: "tides.md", hash: "1", type: "md", text: "# Tides\n\nThe moon pulls the sea." };

test("documents are uploaded, listed, searched and removed", async () => {
  expect((await request("POST", "/corpus/files", { root: "docs", files: [FILE] }))?.status).toBe(200);
  expect(await (await request("GET", "/corpus/manifest"))?.json()).toEqual({
    files: [{ path: "tides.md", hash: "1" }],
  });
  expect(await webSearch.run({ query: "moon" }, call({}))).toBe(
    "[1] Tides\nsource: docs/tides.md\n# Tides\n\nThe moon pulls the sea.",
  );
  expect((await request("POST", "/corpus/remove", { paths: ["tides.md"] }))?.status).toBe(200);
  expect(await webSearch.run({ query: "moon" }, call({}))).toBe('Nothing was found for "moon".');
});

test.for([
  ["no sender", undefined],
  ["another agent", "coordinator"],
  ["the agent itself", "tester"],
] as const)("by %s no document is read or written", async ([, sender]) => {
  expect((await request("GET", "/corpus/manifest", undefined, sender))?.status).toBe(401);
  expect((await request("POST", "/corpus/files", { root: "", files: [] }, sender))?.status).toBe(401);
  expect((await request("POST", "/corpus/remove", { paths: [] }, sender))?.status).toBe(401);
});

test.for([
  ["an unknown type", { root: "", files: [{ ...FILE, type: "exe" }] }, 400, "type"],
  ["no path", { root: "", files: [{ ...FILE, path: "" }] }, 400, "path"],
  ["more than 4 MB", { root: "", files: [{ ...FILE, text: "x".repeat(4 * 1024 * 1024) }] }, 413, "4194304 bytes"],
] as const)("an upload with %s is refused and says why", async ([, body, status, detail]) => {
  const response = await request("POST", "/corpus/files", body);
  expect(response?.status).toBe(status);
  expect(await response?.text()).toContain(detail);
});

test("other paths and methods are not the corpus's to answer", async () => {
  expect(await request("GET", "/corpus/other")).toBeUndefined();
  expect(await request("GET", "/toString")).toBeUndefined();
  expect((await request("GET", "/corpus/files"))?.headers.get("allow")).toBe("POST");
});

test("SearXNG's results become passages, those without text left out", async () => {
  const search = { provider: "searxng", url: "http://site.example/searxng/" };
  const text = await webSearch.run({ query: "tides" }, call({ search }));
  expect(text).toBe("[1] Tides\nsource: http://site.example/article\nThe moon pulls.");
  expect(await webSearch.run({ query: "nothing" }, call({ search }))).toBe('Nothing was found for "nothing".');
});

test("a SearXNG instance is asked over the binding that leads to its address", async () => {
  const asked: string[] = [];
  const bound = {
    fetch: async (url: string) => {
      asked.push(url);
      return Response.json({ results: [] });
    },
  };
  await webSearch.run(
    { query: "a&b" },
    call(
      { search: { provider: "searxng", url: "http://127.0.0.1:8888" } },
      { [reachBinding("http://127.0.0.1:8888")]: bound },
    ),
  );
  expect(asked).toEqual(["http://127.0.0.1:8888/search?q=a%26b&format=json"]);
});

test("Brave's results become passages without markup", async () => {
  const bindings = { BRAVE_API_KEY: "right-key" };
  const text = await webSearch.run({ query: "tides" }, call({ search: { provider: "brave" } }, bindings));
  expect(text).toBe("[1] Tides\nsource: http://site.example/article\nThe moon pulls & pushes.");
});

test.for([
  [{ provider: "brave" }, {}, "set BRAVE_API_KEY"],
  [{ provider: "brave" }, { BRAVE_API_KEY: "wrong" }, "Brave answered 401: its key is missing or wrong"],
  [{ provider: "searxng", url: "http://site.example/not-searxng" }, {}, "not its JSON format"],
  [{ provider: "searxng" }, {}, 'The setting "search"'],
  [{ provider: "gugel" }, {}, 'The setting "search"'],
  [{ provider: "claude" }, {}, "works only with the model provider"],
] as const)("a search that cannot work says what to repair: %j", async ([search, bindings, message]) => {
  await expect(webSearch.run({ query: "tides" }, call({ search }, bindings))).rejects.toThrow(message);
});

function call(config: Record<string, unknown>, bindings: Record<string, unknown> = {}): ToolCall {
  const signal = new AbortController().signal;
  return {
    id: "1",
    idempotencyKey: "key",
    signal,
    agent: "tester",
    config,
    env: { CORPUS: env.CORPUS, ...bindings },
    contextId: "c",
    taskId: "t",
    artifact: () => {},
    peers: NO_PEERS,
    span: SILENT.start({ name: "test", attributes: {} }),
  };
}

function request(method: string, path: string, body?: object, ...sent: [sender?: string | undefined]) {
  const sender = sent.length === 0 ? COMMAND_LINE : sent[0];
  const headers = new Headers({ "content-type": "application/json" });
  const init: RequestInit = { method, headers };
  if (body) init.body = JSON.stringify(body);
  return corpusRoutes(new Request(`http://tester.test${path}`, init), env, sender);
}
