// The trace store over HTTP: OTLP in, summaries and spans out. Checks requests, calls the job's Traces objects, and
// words what is wrong.
import * as wire from "#shared/control-plane/traces.ts";
import { problem, problemResponse } from "#shared/http/problem.ts";
import { requireJob } from "../auth.ts";
import { Endpoints, type JobContext, withQuery } from "../endpoints.ts";
import { pathParameter, queryParameters, ref, responses, schemaOf } from "../openapi-parts.ts";
import { CONTENT_TYPE } from "./otlp/export-answer.ts";
import { receiveSpans } from "./receive.ts";
import { allShards, shardOf, type TraceShard } from "./shards.ts";

const ID_PARAMETER = pathParameter("id", wire.TraceId);
const OTLP = Object.fromEntries(Object.values(CONTENT_TYPE).map((type) => [type, { schema: ref("Otlp") }]));

export const traceSchemas = {
  TraceList: schemaOf(wire.TraceList, "output"),
  TracePage: schemaOf(wire.TracePage, "output"),
  OtlpPage: schemaOf(wire.OtlpPage, "output"),
  Deleted: schemaOf(wire.Deleted, "output"),
  Otlp: {
    type: "object",
    description: "A message of OTLP 1.x, JSON or protobuf: https://opentelemetry.io/docs/specs/otlp/",
  },
};

const ROOT = "/v1/traces";

// The receiver authenticates exporters itself, because it refuses them in their own encoding.
export const traceEndpoints = new Endpoints(ROOT, async (c, next) =>
  c.req.method === "POST" && c.req.path === ROOT ? next() : requireJob(c, next),
);

traceEndpoints.add("/", {
  post: {
    agents: true,
    summary: "Store spans: the OTLP/HTTP receiver",
    description:
      "From an agent only its own: those whose resource has its id as service.name. An open span has no end; its end is sent later under the same id. The same span may be sent again; a second, different end is refused. At most 8 MiB, packed and unpacked.",
    requestBody: { required: true, content: OTLP },
    responses: {
      "200": { description: "ExportTraceServiceResponse, with what was refused", content: OTLP },
      ...Object.fromEntries(
        [400, 401, 413, 415, 503].map((code) => [String(code), { description: "google.rpc.Status", content: OTLP }]),
      ),
    },
    serve: async (c) => receiveSpans(c.req.raw, c.env),
  },
  get: {
    summary: "List traces, newest first",
    parameters: queryParameters(wire.ListQuery, "input"),
    responses: responses(200, "TraceList", [400, 403]),
    serve: withQuery(wire.ListQuery, async (c, query) => c.json(await listTraces(c, query))),
  },
  delete: {
    summary: "Delete old traces",
    parameters: queryParameters(wire.DeleteQuery, "input"),
    responses: responses(200, "Deleted", [400, 403]),
    serve: withQuery(wire.DeleteQuery, async (c, { before }) => {
      const counts = await Promise.all(allShards(c.env, c.var.job).map(async (shard) => shard.removeBefore(before)));
      return c.json({ deleted: counts.reduce((sum, count) => sum + count, 0) });
    }),
  },
});

traceEndpoints.add(
  "/:id",
  {
    get: {
      summary: "Show a trace and its spans as columns, in the order in which they changed",
      parameters: queryParameters(wire.PageQuery, "input"),
      responses: responses(200, "TracePage", [400, 403, 404]),
      serve: servePage(async (shard, traceId, query) => shard.page(traceId, query)),
    },
    delete: {
      summary: "Delete a trace",
      responses: responses(204, undefined, [400, 403, 404]),
      serve: withQuery(wire.NoQuery, async (c, _, id) => {
        const traceId = wire.TraceId.safeParse(id).data;
        const removed = traceId !== undefined && (await shardOf(c.env, c.var.job, traceId).remove(traceId));
        return removed ? c.body(null, 204) : unknownTrace(c, id);
      }),
    },
  },
  ID_PARAMETER,
);

traceEndpoints.add(
  "/:id/otlp",
  {
    get: {
      summary: "Show a trace's spans in OTLP/JSON",
      parameters: queryParameters(wire.PageQuery, "input"),
      responses: responses(200, "OtlpPage", [400, 403, 404]),
      serve: servePage(async (shard, traceId, query) => shard.otlp(traceId, query)),
    },
  },
  ID_PARAMETER,
);

async function listTraces(c: JobContext, query: wire.ListQuery): Promise<wire.TraceList> {
  const { limit } = query;
  // One more than the limit shows whether there are more.
  const wanted = { ...query, limit: limit + 1 };
  const lists = await Promise.all(allShards(c.env, c.var.job).map(async (shard) => shard.list(wanted)));
  const found = lists.flat().sort((a, b) => b.startUs - a.startUs || (a.traceId < b.traceId ? 1 : -1));
  const traces = found.slice(0, limit);
  const last = traces.at(-1);
  return { traces, next: found.length > limit && last ? `${last.startUs}-${last.traceId}` : null };
}

/** Serves a page that `read` gives as JSON text; undefined for an unknown trace. */
function servePage(read: (shard: TraceShard, traceId: string, query: wire.PageQuery) => Promise<string | undefined>) {
  return withQuery(wire.PageQuery, async (c, query, id) => {
    const traceId = wire.TraceId.safeParse(id).data;
    const page = traceId && (await read(shardOf(c.env, c.var.job, traceId), traceId, query));
    return page === undefined
      ? unknownTrace(c, id)
      : new Response(page, { headers: { "content-type": "application/json" } });
  });
}

function unknownTrace(c: JobContext, id: string): Response {
  const shown = JSON.stringify(id.slice(0, 100));
  const hint = "An id has 32 hex digits; GET /v1/traces?id=<the first ones> finds it. Old traces are deleted in time.";
  return problemResponse(problem("unknown-trace", `The job "${c.var.job}" has no trace ${shown}. ${hint}`));
}
