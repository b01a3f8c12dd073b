// What `troupe status` says of circuits, in words.
import type { RequestListener } from "node:http";

import { expect, test } from "vitest";

import { describeBreaker, describeStatus } from "../../../../scripts/jobs/show-status.ts";
import { askHealth } from "../../../../scripts/targets/local/processes/health.ts";
import { serve } from "../../../support/serve.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const OPEN = {
  target: "model:claude-sonnet-5-5",
  state: "open",
  failures: 5,
  openSince: "2026-01-01T11:59:50.000Z",
  openUntil: "2026-01-01T12:00:11.500Z",
} as const;

test.each([
  [
    OPEN,
    "model claude-sonnet-5-5: circuit open since 2026-01-01T11:59:50.000Z, 5 failures in a row, tried again in 12 s",
  ],
  [
    { ...OPEN, openUntil: "2026-01-01T11:59:55.000Z" },
    "model claude-sonnet-5-5: circuit open since 2026-01-01T11:59:50.000Z, 5 failures in a row, tried again with the next call",
  ],
  [
    { target: "peer:searcher", state: "half_open", failures: 6, openSince: OPEN.openSince } as const,
    "peer searcher: circuit open since 2026-01-01T11:59:50.000Z, 6 failures in a row, being tried again now",
  ],
  [{ target: "model:llama3:8b", state: "closed", failures: 1 } as const, "model llama3:8b: 1 failure in a row"],
  [{ target: "peer:\u001b[2Jx", state: "closed", failures: 2 } as const, "peer  [2Jx: 2 failures in a row"],
])("the breaker %j reads as words", (breaker, words) => {
  expect(describeBreaker(breaker, NOW)).toBe(words);
});

test("an agent's circuits stand below its row, and nobody else's, and what alone counts", () => {
  const agent = {
    name: "A",
    url: "http://127.0.0.1:1",
    state: "alive",
    lastHeartbeat: null,
    probed: true,
    pid: 1,
  } as const;
  const breakers = [{ target: "peer:b", state: "closed", failures: 3 } as const];
  const about = {
    job: "x",
    target: "local",
    pid: 1,
    state: "running",
    entryPoint: "a",
    controlPlane: "http://c",
    remotes: [],
    processes: [],
    shared: [],
  } as const;
  const agents = [
    { id: "a", ...agent, breakers, turns: null },
    { id: "b", ...agent, breakers: [], probed: false, turns: { limit: 2, running: 1, waiting: 0 } },
  ];
  expect(describeStatus({ ...about, agents })).toBe(
    "x is running (local, pid 1)\n  a  alive  http://127.0.0.1:1  A\n    peer b: 3 failures in a row\n  b  alive  http://127.0.0.1:1  A\n    its heartbeats alone count: the control plane cannot ask it",
  );
});

test.each([
  ["running", "was restarted 2 times"],
  ["restarting", "is being restarted, after 2 times before"],
  ["failed", "has failed: it ended at each start (2 times). Fix the reason, then: npx troupe restart x"],
  ["dead", "has ended and is not restarted. Start it again: npx troupe restart x"],
] as const)("a process that ended and is %s now has its lines: what became of it, when and why", (state, words) => {
  const lastEnd = {
    at: "2026-01-01T00:00:00.000Z",
    reason: "it exited with 1: bind(): \u001b[2JAddress already in use",
  };
  const own = { name: "all-agents", pid: null, state, supervised: true, restarts: 2, lastEnd };
  const about = {
    job: "x",
    target: "local",
    pid: null,
    entryPoint: "a",
    controlPlane: "http://c",
    remotes: [],
    agents: [],
  } as const;
  const text = describeStatus({
    ...about,
    state: "dead",
    processes: [own],
    shared: [{ ...own, name: "offline-model", lastEnd: null }],
  });
  expect(text).toContain(
    `\nThe process all-agents ${words}\n  Last end at 2026-01-01T00:00:00.000Z: it exited with 1: bind():  [2JAddr`,
  );
  expect(text.match(/The process/g)).toHaveLength(1);
});

test.each([
  [31, /^none$/],
  [29.5, /^The certificates of its hosts will end on \d{4}-\d\d-\d\d\. A deployment makes new ones: .*deploy x$/],
  [
    -1,
    /^The certificates of its hosts ended on \S+, so agents of different hosts cannot ask each other\. A deployment/,
  ],
])("certificates that end in %d days are spoken of in time", (days, words) => {
  const about = {
    job: "x",
    target: "hosts",
    pid: 1,
    state: "running",
    entryPoint: "a",
    controlPlane: "http://c",
  } as const;
  const certificatesEnd = new Date(Date.now() + days * 86_400_000).toISOString();
  const text = describeStatus({ ...about, certificatesEnd, remotes: [], agents: [], processes: [], shared: [] });
  expect(text.split("\n").find((part) => part.includes("certificates")) ?? "none").toMatch(words);
});

test("a process without its supervisor is named, with what to do", () => {
  const own = { name: "a", pid: 1, state: "running", supervised: false, restarts: 0, lastEnd: null } as const;
  const about = {
    job: "x",
    target: "local",
    pid: 1,
    entryPoint: "a",
    controlPlane: "http://c",
    remotes: [],
    agents: [],
  } as const;
  const text = describeStatus({ ...about, state: "running", processes: [own], shared: [] });
  expect(text.includes("runs without its supervisor")).toBe(process.platform !== "win32");
});

test("turns that wait are shown, and a job that does not run as it should says what to do", () => {
  const agent = {
    id: "a",
    name: "A",
    url: "http://127.0.0.1:1",
    state: "alive",
    lastHeartbeat: null,
    probed: true,
    pid: 1,
  } as const;
  const agents = [{ ...agent, breakers: [], turns: { limit: 2, running: 2, waiting: 5 } }];
  const about = {
    job: "x",
    target: "local",
    pid: 1,
    entryPoint: "a",
    controlPlane: "http://c",
    remotes: [],
    agents,
    processes: [],
    shared: [],
  } as const;
  const shown = (state: "running" | "degraded" | "stopped" | "dead", controlPlane: string | null = "http://c") =>
    describeStatus({ ...about, state, controlPlane }).split("\n");
  expect(shown("running")).toContain("    turns: 2 of at most 2 running, 5 waiting");
  expect(shown("running")).toHaveLength(3);
  expect(shown("stopped").at(-1)).toBe("Start it again: npx troupe restart x");
  const next = "Start it again: npx troupe restart x. Its log may say why: npx troupe logs x";
  expect(shown("degraded").at(-1)).toBe(`Some of its agents do not run. ${next}`);
  expect([shown("dead").at(-1), shown("running", null).at(-1)]).toEqual([next, next]);
});

test("an agent's health tells its breakers; one of an older release, or with odd ones, has none to tell", async () => {
  const say = async (body: unknown) =>
    askHealth(await serve((_, response) => response.end(JSON.stringify(body))), 5_000);
  expect(await say({ status: "ok", breakers: [OPEN] })).toEqual({ breakers: [OPEN], turns: null });
  expect(await say({ status: "ok" })).toEqual({ breakers: [], turns: null });
  expect(await say({ status: "ok", breakers: [{ target: 1 }], turns: { limit: "x" } })).toEqual({
    breakers: [],
    turns: null,
  });
});

test("an agent's health tells how many turns wait, and one without room for a look is healthy", async () => {
  const turns = { limit: 100, running: 100, waiting: 3 };
  const body = JSON.stringify({ status: "ok", breakers: [], turns });
  expect(await askHealth(await serve((_, response) => response.end(body)), 5_000)).toEqual({ breakers: [], turns });
  const full = await serve((_, response) => response.writeHead(503, { "retry-after": "1" }).end());
  expect(await askHealth(full, 5_000)).toEqual({ breakers: [], turns: null });
});

test.each<[string, RequestListener]>([
  ["hangs", () => {}],
  ["fails", (_, response) => response.writeHead(500).end('{"breakers":[]}')],
  ["is none", (_, response) => response.end("hello")],
])("an agent that %s is not healthy, and the look ends with its time", async (_, listener) => {
  expect(await askHealth(await serve(listener), 100)).toBeUndefined();
});

test("agents of others stand last, with their address and whether they can be reached", () => {
  const about = {
    job: "x",
    target: "local",
    pid: 1,
    state: "running",
    entryPoint: "a",
    controlPlane: "http://c",
  } as const;
  const remotes = [
    { id: "weather", name: "Weather \u001b[2J", url: "https://w.example/card.json", reachable: false },
    { id: "news", name: "News", url: "https://n.example/card.json", reachable: true },
  ];
  expect(describeStatus({ ...about, agents: [], remotes, processes: [], shared: [] })).toBe(
    "x is running (local, pid 1)\n  weather  remote, not reachable  https://w.example/card.json  Weather  [2J\n  news     remote, reachable      https://n.example/card.json  News",
  );
});

test("tunnels are this machine's, and one that is down is said with why, without a command to run", () => {
  const about = {
    job: "x",
    target: "hosts",
    pid: 1,
    state: "degraded",
    entryPoint: "a",
    controlPlane: "http://c",
    agents: [],
    remotes: [],
    processes: [],
    shared: [],
  } as const;
  const hosts = [
    { place: "h1", state: "up", since: "2026-01-01T00:00:00.000Z", reason: "" },
    { place: "h2", state: "down", since: "2026-01-01T00:00:05.000Z", reason: "refused \u001b[2J" },
  ] as const;
  expect(
    describeStatus({ ...about, tunnels: { pid: 7, log: "/log", hosts } })
      .split("\n")
      .slice(2),
  ).toEqual([
    "Some of its agents reach each other only while this machine holds the tunnels (pid 7)",
    "  h1  tunnel up    since 2026-01-01T00:00:00.000Z",
    "  h2  tunnel down  since 2026-01-01T00:00:05.000Z  refused  [2J",
    "  It is tried again by itself. Its log: /log",
  ]);
  expect(
    describeStatus({ ...about, tunnels: { pid: null, log: "/log", hosts } })
      .split("\n")
      .at(-1),
  ).toBe(
    "Some of its agents reach each other only while this machine holds the tunnels, and nobody holds them: npx troupe restart x",
  );
});
