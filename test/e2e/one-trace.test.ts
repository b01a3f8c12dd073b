// One question goes through all four agents under one trace id, however they find each other.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { connect, saying, tasksOf } from "../support/a2a-client.ts";
import { Deployment, eventually } from "../support/deployment.ts";
import { Answer, Status } from "./shapes.ts";

const Usage = z.object({ inputTokens: z.number(), outputTokens: z.number() });
const Metadata = z.object({ traceId: z.string(), usage: Usage });
type Known = z.infer<typeof Metadata>;

const QUESTION = "What is workerd?";
const ENTRY = "coordinator";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
});
afterAll(async () => deployment.close());

describe.each(["research-assistant", "research-dynamic"])("in %s", (job) => {
  const urls = new Map<string, string>();
  let answer: z.infer<typeof Answer>;
  const tasks = new Map<string, Known[]>();
  beforeAll(async () => {
    await deployment.succeed("deploy", job);
    const { agents } = Status.parse(await deployment.json("status", job));
    for (const { id, url } of agents) urls.set(id, url);
    answer = Answer.parse(await deployment.json("query", job, QUESTION));
    for (const [id, found] of await allTasks()) tasks.set(id, found);
  });
  afterAll(async () => deployment.succeed("stop", job));

  async function allTasks(): Promise<[agent: string, tasks: Known[]][]> {
    return Promise.all(
      [...urls].map(async ([id, url]): Promise<[string, Known[]]> => {
        const listed = await tasksOf(await connect(url));
        return [id, listed.map(({ metadata }) => Metadata.parse(metadata))];
      }),
    );
  }

  test("a research question is one task at each of the four agents", () => {
    const counts = Object.fromEntries([...tasks].map(([id, { length }]) => [id, length]));
    expect(counts).toEqual({ coordinator: 1, searcher: 1, summarizer: 1, fact_checker: 1 });
  });

  test("every task has the trace id that query printed", () => {
    const traceIds = new Set([...tasks.values()].flat().map(({ traceId }) => traceId));
    expect([...traceIds]).toEqual([answer.traceId]);
  });

  test("the usage of the question covers what the agents asked have used", () => {
    for (const kind of ["inputTokens", "outputTokens"] as const) {
      const peers = [...tasks].flatMap(([id, found]) => (id === ENTRY ? [] : found)).map(({ usage }) => usage[kind]);
      expect(Math.min(...peers)).toBeGreaterThan(0);
      expect(answer.usage[kind]).toBeGreaterThan(peers.reduce((sum, tokens) => sum + tokens, 0));
    }
    expect(tasks.get(ENTRY)?.[0]?.usage).toMatchObject(answer.usage);
  });

  test("all that the question caused is one trace of four agents, named for what it is", async () => {
    const store = await deployment.traces(job);
    const whole = async () => {
      const found = await store.spans(answer.traceId);
      const isWhole = new Set(found.map(({ agent }) => agent)).size === urls.size && !found.some(({ open }) => open);
      return isWhole ? found : undefined;
    };
    const spans = await eventually(whole, 5_000, "the last spans arrive");
    expect(new Set(spans.map(({ agent }) => agent))).toEqual(new Set(urls.keys()));
    const asked = spans.filter(({ name, kind }) => name === "SendStreamingMessage" && kind === 3);
    expect(
      asked.map((span) => `${span.get("troupe.a2a.source")} → ${span.get("troupe.a2a.target")}`).toSorted(),
    ).toEqual(["fact_checker", "searcher", "summarizer"].map((id) => `${ENTRY} → ${id}`));
    const calls = spans.filter((span) => span.get("gen_ai.operation.name") === "chat");
    expect(new Set(calls.map((span) => span.get("gen_ai.provider.name")))).toEqual(new Set(["troupe.offline"]));
    const tokens = calls.reduce((sum, span) => sum + Number(span.get("gen_ai.usage.output_tokens")), 0);
    expect(tokens).toBe(answer.usage.outputTokens);
    expect((await store.list("all")).filter(({ kind }) => kind === "other")).toEqual([]);
  });

  test("a trace that the caller began goes on through all four agents", async () => {
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const entry = await connect(urls.get(ENTRY) ?? "");
    const serviceParameters = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    await entry.sendMessage(saying(QUESTION), { serviceParameters });
    for (const [id, found] of await allTasks()) {
      expect([id, found.filter((task) => task.traceId === traceId).length]).toEqual([id, 1]);
    }
    const store = await deployment.traces(job);
    const queries = async () => (await store.list()).map((trace) => trace.traceId);
    await expect.poll(queries, { timeout: 5_000 }).toEqual([traceId, answer.traceId]);
  });
});
