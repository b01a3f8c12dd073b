// `troupe traces` on a deployed job: what a person sees of a query and of a deployment, while the job runs and after it.
import { once } from "node:events";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { controlPlaneLayout } from "../../scripts/targets/local/state/layout.ts";
import { lockHolder } from "../../scripts/targets/local/state/lock.ts";
import { supervisorOf } from "../../scripts/targets/local/processes/supervisor.ts";
import { Deployment, eventually, type Outcome, signalProcess } from "../support/deployment.ts";
import { Answer, fourAgents, HUB_SPOKE } from "./shapes.ts";

const JOB = "research-assistant";
const QUESTION = "What is a Durable Object?";
const PEERS = ["searcher", "summarizer", "fact_checker"];
const AGENTS = ["coordinator", ...PEERS];

const Summary = z.object({
  job: z.string(),
  traceId: z.string(),
  kind: z.string(),
  agents: z.array(z.string()),
  status: z.string(),
  durationMs: z.nullable(z.number()),
  spans: z.number(),
  errors: z.number(),
  inputTokens: z.number(),
  text: z.string(),
});
const List = z.object({ traces: z.array(Summary) });
const Shown = z.object({
  trace: Summary.omit({ job: true }),
  spans: z.array(
    z.object({
      spanId: z.string(),
      depth: z.number(),
      orphan: z.boolean(),
      name: z.string(),
      agent: z.string(),
      operation: z.string(),
      durationUs: z.nullable(z.number()),
      status: z.string(),
      message: z.string(),
      criticalUs: z.number(),
    }),
  ),
});

let deployment: Deployment;
let outcome: Outcome;
let query: z.infer<typeof Summary>;
beforeAll(async () => {
  deployment = await Deployment.create();
  await deployment.succeed("deploy", JOB);
  outcome = await deployment.troupe("query", JOB, QUESTION, "--trace");
  const [newest] = await list();
  if (newest === undefined) throw new Error("The query left no trace.");
  query = newest;
});
afterAll(async () => deployment.close());

async function list(...args: string[]): Promise<z.infer<typeof Summary>[]> {
  return List.parse(await deployment.json("traces", "list", ...args)).traces;
}

async function show(...args: string[]): Promise<z.infer<typeof Shown>> {
  return Shown.parse(await deployment.json("traces", "show", ...args));
}

describe("query --trace", () => {
  test("leaves stdout to the answer and draws the whole trace on stderr", () => {
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toContain("Sources:");
    expect(outcome.stdout).not.toContain("invoke_agent");
    for (const peer of PEERS) expect(outcome.stderr).toContain(`coordinator → ${peer}`);
    expect(outcome.stderr).toContain("Critical path (●):");
    expect(outcome.stderr).not.toContain("Try again");
  });

  test("with --json changes nothing of what is printed", async () => {
    const { code, stdout, stderr } = await deployment.troupe("query", JOB, "What is workerd?", "--trace", "--json");
    const { traceId } = Answer.parse(JSON.parse(stdout));
    expect([code, stderr.includes(traceId)]).toEqual([0, true]);
    await deployment.succeed("traces", "show", traceId.slice(0, 12));
  });
});

describe("traces list", () => {
  test("has the query with what was asked, its agents and its state", () => {
    expect(query).toMatchObject({ job: JOB, kind: "query", status: "ok", errors: 0, text: QUESTION });
    expect(query.agents.toSorted()).toEqual(AGENTS.toSorted());
    expect(query.durationMs).toBeGreaterThan(0);
  });

  test("finds it by text, agent and time, and says what to try where it finds nothing", async () => {
    const found = await list(JOB, "--text", "Durable Object", "--agent", "fact_checker", "--since", "1h");
    expect(found.map(({ traceId }) => traceId)).toContain(query.traceId);
    const { code, stdout, stderr } = await deployment.troupe("traces", "list", "--slower", "1h");
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("No trace matches.");
  });

  test("is a table with a line each", async () => {
    const [head = "", ...lines] = (await deployment.succeed("traces", "list", "--limit", "1")).trimEnd().split("\n");
    expect(head).toMatch(/^TRACE +WHEN +JOB +STATE +TOOK +CALLS +TOKENS +COST +SPANS +ERRORS +ASKED$/);
    expect(lines).toHaveLength(1);
  });
});

describe("traces show", () => {
  test("has one root and every span in its place, with the critical path as long as the root", async () => {
    const { trace, spans } = await show(query.traceId);
    expect(spans).toHaveLength(trace.spans);
    expect(spans.filter(({ depth }) => depth === 0)).toHaveLength(1);
    expect(spans.filter(({ orphan, durationUs }) => orphan || durationUs === null)).toEqual([]);
    expect(spans.reduce((sum, { criticalUs }) => sum + criticalUs, 0)).toBe(spans[0]?.durationUs);
  });

  test("draws the newest query with calls to peers by who asks whom", async () => {
    const drawn = await deployment.succeed("traces", "show", query.traceId.slice(0, 8));
    expect(drawn).toContain(`“${QUESTION}”`);
    for (const peer of PEERS) expect(drawn).toContain(`coordinator → ${peer}`);
    expect(drawn).not.toContain("\u001b");
  });

  test("draws a question to a peer as one row with the question below it, and each of its spans in the full view", async () => {
    const drawn = await deployment.succeed("traces", "show", query.traceId);
    const lines = drawn.split("\n");
    const at = lines.findIndex((line) => line.includes("coordinator → searcher"));
    expect(lines[at + 1]).toContain("“");
    expect(drawn).not.toContain("execute_tool query_agent");
    const full = await deployment.succeed("traces", "show", query.traceId, "--full");
    expect(full.match(/execute_tool query_agent/g)).toHaveLength(PEERS.length);
  });

  test("shows ids that --span takes", async () => {
    const drawn = await deployment.succeed("traces", "show", query.traceId);
    const [, id = ""] = / invoke_agent coordinator +([0-9a-f]{4,8}) /.exec(drawn) ?? [];
    const whole = await deployment.succeed("traces", "show", query.traceId, "--span", id);
    expect(whole).toMatch(new RegExp(`^invoke_agent coordinator\n  span    ${id}`));
    expect(whole).toMatch(/\nbelow it\n {2}[0-9a-f]{16} {2}coordinator {2}chat /);
  });

  test("shows one span whole, the question within", async () => {
    const { spans } = await show(query.traceId);
    const chat = spans.find(({ operation }) => operation === "chat");
    const drawn = await deployment.succeed("traces", "show", query.traceId, "--span", chat?.spanId ?? "");
    expect(drawn).toContain("gen_ai.input.messages =");
    expect(drawn).toContain(QUESTION);
  });

  test("follows a trace to its end and no longer", async () => {
    const { code, stdout } = await deployment.troupe("traces", "show", query.traceId, "--follow");
    expect(code).toBe(0);
    const ends = stdout.trimEnd().split("\n");
    expect(ends.at(-1)).toMatch(/^ +\+[\d.]+ s {2}ends +coordinator: SendStreamingMessage after /);
    expect(ends).toHaveLength(query.spans);
  });
});

test("a deployment is a trace: its stages, and each agent from its start to its registration", async () => {
  const [deploy] = await list("--kind", "deploy");
  expect(deploy).toMatchObject({ status: "ok", errors: 0 });
  const { spans } = await show(deploy?.traceId ?? "");
  const outline = spans.map(({ depth, name }) => `${"  ".repeat(depth)}${name}`);
  expect(outline.filter((line) => !line.startsWith("    "))).toEqual([
    `deploy ${JOB}`,
    "  deploy.build",
    "  deploy.control_plane",
    "  deploy.stop",
    "  deploy.agents",
    "  deploy.corpus",
  ]);
  for (const agent of AGENTS) {
    const at = outline.indexOf(`    create_agent ${agent}`);
    expect(outline[at + 1]).toMatch(new RegExp(`^ {6}agent registered ${agent}$`));
  }
});

describe("traces export", () => {
  test("as OTLP is one document with a resource for each agent", async () => {
    const { resourceSpans } = z
      .object({
        resourceSpans: z.array(
          z.object({
            resource: z.object({
              attributes: z.array(z.object({ key: z.string(), value: z.object({ stringValue: z.string() }) })),
            }),
            scopeSpans: z.array(z.object({ spans: z.array(z.object({ traceId: z.string() })) })),
          }),
        ),
      })
      .parse(JSON.parse(await deployment.succeed("traces", "export", query.traceId)));
    const names = resourceSpans.map(
      ({ resource }) => resource.attributes.find(({ key }) => key === "service.name")?.value.stringValue,
    );
    expect(names).toHaveLength(AGENTS.length);
    expect(new Set(names)).toEqual(new Set(AGENTS));
    const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    expect(spans).toHaveLength(query.spans);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([query.traceId]));
  });

  test("for Perfetto has a thread for each agent, and an arrow to each peer that was asked", async () => {
    const { traceEvents } = z
      .object({
        traceEvents: z.array(z.looseObject({ ph: z.string(), name: z.string(), args: z.optional(z.unknown()) })),
      })
      .parse(JSON.parse(await deployment.succeed("traces", "export", query.traceId, "--format", "chrome")));
    const threads = traceEvents.filter(({ name }) => name === "thread_name").map(({ args }) => args);
    for (const agent of AGENTS) expect(threads).toContainEqual({ name: agent });
    expect(traceEvents.filter(({ ph }) => ph === "X")).toHaveLength(query.spans);
    expect(traceEvents.filter(({ ph }) => ph === "s")).toHaveLength(3);
    expect(traceEvents.filter(({ ph }) => ph === "f")).toHaveLength(3);
  });
});

describe("traces diff", () => {
  test("of a trace with itself finds nothing", async () => {
    const drawn = await deployment.succeed("traces", "diff", query.traceId, query.traceId);
    expect(drawn).toContain(`${query.spans} spans alike in both`);
    expect(drawn).not.toContain("only in A");
  });

  test("of two questions tells totals and spans apart", async () => {
    await deployment.succeed("query", JOB, "What is workerd?");
    const drawn = await deployment.succeed("traces", "diff", query.traceId, "last");
    expect(drawn).toMatch(/^asked +What is a Durable Object\? +What is workerd\?/m);
    expect(drawn).toMatch(/^~ +invoke_agent coordinator/m);
  });
});

test("help is there for the group and for each command", async () => {
  expect(await deployment.succeed("traces", "--help")).toContain("traces show [id|last]");
  expect(await deployment.succeed("traces", "show", "--help")).toContain("Usage: troupe traces show [id|last]");
  expect(await deployment.succeed("help", "traces", "diff")).toContain("Usage: troupe traces diff <id> <id>");
  expect(await deployment.troupe("traces", "shwo")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^There is no command "traces shwo"\. Did you mean "show"\?\nRun: node \S+troupe\.mjs traces --help\n$/,
    ) as unknown,
  });
});

test("a deployment that fails leaves a trace that says which agent and why", async () => {
  const job = fourAgents("too-late", `${HUB_SPOKE}\ndeployment: { timeout: 1ms }`);
  const path = await deployment.write("too-late.yaml", job);
  expect((await deployment.troupe("deploy", path)).code).toBe(1);
  const [failed] = await list("too-late", "--kind", "deploy");
  expect(failed).toMatchObject({ status: "error" });
  const { spans } = await show(failed?.traceId ?? "");
  const agents = spans.filter(({ name }) => name.startsWith("create_agent"));
  expect(agents.map(({ status }) => status)).toContain("error");
  expect(agents.map(({ message }) => message).join("\n")).toContain("was not healthy within 0.001 s");
});

describe("a query that takes long", () => {
  beforeAll(async () => {
    const job = fourAgents("slow", `${HUB_SPOKE}\nmodel: { offline: { ttft: 20s } }`);
    await deployment.succeed("deploy", await deployment.write("slow.yaml", job));
  });
  afterAll(async () => deployment.succeed("stop", "slow"));

  test("and runs out of time has its trace drawn all the same", async () => {
    const { code, stderr } = await deployment.troupe("query", "slow", QUESTION, "--trace", "--timeout", "1s");
    expect(code).toBe(1);
    expect(stderr).toContain("failed after");
    expect(stderr).toContain("✗ invoke_agent coordinator");
    expect(stderr).toContain("There was no answer within 1 s; the task was canceled.");
  });

  test("is followed as it runs, until Ctrl-C", async () => {
    const asked = deployment.start("query", "slow", QUESTION);
    const open = async () => ((await list("slow", "--status", "open")).length > 0 ? true : undefined);
    await eventually(open, 5_000, "the query is open");
    const following = deployment.start("traces", "show", "--job", "slow", "--follow");
    await once(following.process.stdout ?? asked.process, "data");
    signalProcess(following.process.pid, "SIGINT");
    const { code, stdout, stderr } = await following.outcome;
    expect([code, stderr]).toEqual([130, ""]);
    expect(stdout).toContain("begins  coordinator: SendStreamingMessage");
    signalProcess(asked.process.pid, "SIGINT");
    expect((await asked.outcome).code).toBe(130);
  });
});

describe("a job with tracing: false", () => {
  beforeAll(async () => {
    const job = fourAgents("untraced", `${HUB_SPOKE}\ntracing: false`);
    await deployment.succeed("deploy", await deployment.write("untraced.yaml", job));
  });
  afterAll(async () => deployment.succeed("stop", "untraced"));

  test("says so where a trace is asked for, and gives no id away that leads nowhere", async () => {
    const { code, stdout, stderr } = await deployment.troupe("query", "untraced", QUESTION, "--trace", "--json");
    expect([code, stderr]).toEqual([0, "\nuntraced leaves no traces: it was deployed with tracing: false.\n"]);
    expect(JSON.parse(stdout)).toMatchObject({ state: "completed", traceId: null });
  });

  test("says in its logs how each task went, of which query, and they can be narrowed to one", async () => {
    const Line = z.object({ agent: z.nullable(z.string()), traceId: z.nullable(z.string()) });
    const linesOf = async (...narrowed: string[]) =>
      (await deployment.succeed("logs", "untraced", "--json", ...narrowed))
        .trimEnd()
        .split("\n")
        .map((line) => Line.parse(JSON.parse(line)));
    await deployment.succeed("query", "untraced", QUESTION);
    const ids = [...new Set((await linesOf()).flatMap(({ traceId }) => traceId ?? []))];
    expect(ids.length).toBeGreaterThan(1);
    const [id = ""] = ids;
    const lines = await linesOf("--trace", id.slice(0, 8));
    expect(new Set(lines.map(({ traceId }) => traceId))).toEqual(new Set([id]));
    expect(new Set(lines.map(({ agent }) => agent))).toEqual(new Set(AGENTS));
    expect(await deployment.succeed("logs", "untraced")).toContain(` trace=${id.slice(0, 8)}\n`);
  });

  test("has its deployment in the list, but no query", async () => {
    await deployment.succeed("query", "untraced", QUESTION);
    const kinds = (await list("untraced", "--kind", "all")).map(({ kind }) => kind);
    expect(kinds).toContain("deploy");
    expect(kinds).not.toContain("query");
    expect(kinds).not.toContain("other");
  });
});

describe("when no job runs", () => {
  beforeAll(async () => deployment.succeed("stop", "--all"));

  test("traces are there all the same, for several readers at once, and nothing is left running", async () => {
    const readers = await Promise.all([list(), list(), show(query.traceId)]);
    expect(readers.slice(0, 2).flat()).toContainEqual(query);
    const { registry, model } = controlPlaneLayout(join(deployment.home, ".troupe"));
    const left = [await lockHolder(registry.dataLock), await lockHolder(model.dataLock)];
    expect([...left, await supervisorOf(registry), await supervisorOf(model)]).toEqual(Array(4).fill(undefined));
  });

  test("a restart is a trace too, without an upload", async () => {
    await deployment.succeed("restart", JOB);
    const [newest] = await list("--kind", "deploy");
    const { spans } = await show(newest?.traceId ?? "");
    expect(spans.map(({ name }) => name)).toContain("deploy.agents");
    expect(spans.map(({ name }) => name)).not.toContain("deploy.corpus");
    await deployment.succeed("stop", JOB);
  });

  test("pruning says how many it has deleted, and then there are none", async () => {
    expect(await deployment.succeed("traces", "prune", JOB, "--older-than", "1d")).toBe(`${JOB}: 0 traces deleted.\n`);
    expect(await deployment.succeed("traces", "prune", JOB, "--all")).toMatch(
      /^research-assistant: \d+ traces deleted\.\n$/,
    );
    const { stderr } = await deployment.troupe("traces", "show", "last", "--job", JOB);
    expect(stderr).toContain("No query has been traced yet.");
  });
});
