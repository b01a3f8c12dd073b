// The trace store over HTTP: OTLP in, summaries and spans out. Checks what comes in, asks the job's Traces objects, words what
// went wrong.
import { Hono } from "hono";
import { checkValue } from "#shared/http/read-json.ts";
import { problem, problemResponse, wrongMethod } from "#shared/http/problem.ts";
import { requireJob, type JobVariables } from "../auth.ts";
import type { Env } from "../env.ts";
import { receiveSpans } from "./receive.ts";
import { DeleteQuery, ListQuery, NoQuery, PageQuery, TraceId, type TraceList } from "#shared/control-plane/traces.ts";
import { allShards, shardOf } from "./shards.ts";

export const traceRoutes = new Hono<{ Bindings: Env; Variables: JobVariables }>();

// Before the check of who asks: an exporter is answered in its own encoding.
traceRoutes.post("/", async (c) => receiveSpans(c.req.raw, c.env));

traceRoutes.use(requireJob);

traceRoutes.get("/", async (c) => {
  const query = checkValue(c.req.query(), ListQuery);
  if (!query.ok) return problemResponse(query.problem);
  const { limit } = query.value;
  // One more than asked for tells whether there are more.
  const wanted = { ...query.value, limit: limit + 1 };
  const lists = await Promise.all(allShards(c.env, c.var.job).map(async (shard) => shard.list(wanted)));
  const found = lists.flat().sort((a, b) => b.startUs - a.startUs || (a.traceId < b.traceId ? 1 : -1));
  const traces = found.slice(0, limit);
  const last = traces.at(-1);
  const next = found.length > limit && last ? `${last.startUs}-${last.traceId}` : null;
  return c.json({ traces, next } satisfies TraceList);
});

traceRoutes.delete("/", async (c) => {
  const query = checkValue(c.req.query(), DeleteQuery);
  if (!query.ok) return problemResponse(query.problem);
  const { before } = query.value;
  const counts = await Promise.all(allShards(c.env, c.var.job).map(async (shard) => shard.removeBefore(before)));
  return c.json({ deleted: counts.reduce((sum, count) => sum + count, 0) });
});

traceRoutes.get("/:id", async (c) => {
  const query = checkValue(c.req.query(), PageQuery);
  if (!query.ok) return problemResponse(query.problem);
  const id = TraceId.safeParse(c.req.param("id"));
  const page = id.success ? await shardOf(c.env, c.var.job, id.data).page(id.data, query.value) : undefined;
  return page === undefined ? unknownTrace(c.var.job, c.req.param("id")) : json(page);
});

traceRoutes.get("/:id/otlp", async (c) => {
  const query = checkValue(c.req.query(), PageQuery);
  if (!query.ok) return problemResponse(query.problem);
  const id = TraceId.safeParse(c.req.param("id"));
  const page = id.success ? await shardOf(c.env, c.var.job, id.data).otlp(id.data, query.value) : undefined;
  return page === undefined ? unknownTrace(c.var.job, c.req.param("id")) : json(page);
});

traceRoutes.delete("/:id", async (c) => {
  const query = checkValue(c.req.query(), NoQuery);
  if (!query.ok) return problemResponse(query.problem);
  const id = TraceId.safeParse(c.req.param("id"));
  const removed = id.success && (await shardOf(c.env, c.var.job, id.data).remove(id.data));
  return removed ? c.body(null, 204) : unknownTrace(c.var.job, c.req.param("id"));
});

traceRoutes.all("/", () => wrongMethod("GET, POST, DELETE"));
traceRoutes.all("/:id", () => wrongMethod("GET, DELETE"));
traceRoutes.all("/:id/otlp", () => wrongMethod("GET"));

function json(text: string): Response {
  return new Response(text, { headers: { "content-type": "application/json" } });
}

function unknownTrace(job: string, id: string): Response {
  const hint = "An id has 32 hex digits; GET /v1/traces?id=<the first ones> finds it. Old traces are deleted in time.";
  return problemResponse(
    problem("unknown-trace", `The job "${job}" has no trace ${JSON.stringify(id.slice(0, 100))}. ${hint}`),
  );
}
