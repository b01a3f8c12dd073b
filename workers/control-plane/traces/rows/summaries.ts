// Reads summaries of traces: one by id, or the matches of a query, newest first.
import * as z from "zod";
import { type ListQuery, TRACE_KINDS, type TraceSummary } from "#shared/control-plane/traces.ts";
import { ORPHAN_MS, RANK } from "./trace-change.ts";

const Row = z.object({
  trace_id: z.string(),
  kind: z.enum(TRACE_KINDS),
  name: z.string(),
  agent: z.string(),
  agents: z.string().transform((json) => z.array(z.string()).parse(JSON.parse(json))),
  start_us: z.number(),
  duration_us: z.number().nullable(),
  status: z.enum(["ok", "error", "open"]),
  spans: z.number(),
  open_spans: z.number(),
  errors: z.number(),
  model_calls: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost: z.number(),
  priced: z.number(),
  text: z.string(),
  bytes: z.number(),
});

/** ?1 is now in ms. A trace whose root has a missing parent stays open until that parent has had time to come. */
const SUMMARIES = `
  SELECT *, CASE WHEN status = 'open' THEN NULL WHEN root_rank < ${RANK.orphan} THEN root_duration_us ELSE end_us - start_us END AS duration_us
  FROM (
    SELECT *, CASE WHEN root_duration_us < 0 OR (root_rank >= ${RANK.orphan} AND changed_at > ?1 - ${ORPHAN_MS}) THEN 'open'
      WHEN root_status = 2 THEN 'error' ELSE 'ok' END AS status
    FROM traces
  )`;

export function findSummary(sql: SqlStorage, traceId: string, now: number): TraceSummary | undefined {
  const [row] = sql.exec(`${SUMMARIES} WHERE trace_id = ?2`, now, traceId).toArray();
  return row && toSummary(Row.parse(row));
}

/** Up to `query.limit` matches. */
export function listSummaries(sql: SqlStorage, query: ListQuery, now: number): TraceSummary[] {
  const { kind, agent, status, since, until, minMs, minCost, text, id, limit, cursor } = query;
  const conditions: string[] = [];
  const bindings: (string | number)[] = [now];
  const where = (condition: string, ...values: (string | number)[]) => {
    bindings.push(...values);
    conditions.push(condition);
  };
  if (cursor) where("(start_us, trace_id) < (?, ?)", cursor.startUs, cursor.traceId);
  if (since !== undefined) where("start_us >= ?", since);
  if (until !== undefined) where("start_us < ?", until);
  // "g" sorts after every hex digit.
  if (id !== undefined) where("trace_id >= ? AND trace_id < ?", id, `${id}g`);
  if (kind !== undefined) where("kind = ?", kind);
  if (agent !== undefined) where("EXISTS (SELECT 1 FROM json_each(agents) WHERE value = ?)", agent);
  if (minMs !== undefined) where("duration_us >= ?", minMs * 1000);
  if (minCost !== undefined) where("priced > 0 AND cost >= ?", minCost);
  // Includes traces that ended well although a span failed.
  if (status === "error") where("(status = 'error' OR errors > 0)");
  else if (status !== undefined) where("status = ?", status);
  if (text !== undefined && text !== "") {
    const found = "SELECT 1 FROM trace_texts WHERE trace = number AND (instr(root, ?) > 0 OR instr(errors, ?) > 0)";
    where(`EXISTS (${found})`, text.toLowerCase(), text.toLowerCase());
  }
  const filter = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const order = "ORDER BY start_us DESC, trace_id DESC LIMIT ?";
  const rows = sql.exec(`${SUMMARIES} ${filter} ${order}`, ...bindings, limit).toArray();
  return z.array(Row).parse(rows).map(toSummary);
}

function toSummary(row: z.output<typeof Row>): TraceSummary {
  return {
    traceId: row.trace_id,
    kind: row.kind,
    name: row.name,
    agent: row.agent,
    agents: row.agents,
    startTime: new Date(row.start_us / 1000).toISOString(),
    startUs: row.start_us,
    durationMs: row.duration_us === null ? null : row.duration_us / 1000,
    status: row.status,
    spans: row.spans,
    openSpans: row.open_spans,
    errors: row.errors,
    modelCalls: row.model_calls,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    // Floating-point sums: digits beyond a billionth of a dollar are noise.
    costUsd: row.priced === 0 ? null : Math.round(row.cost * 1e9) / 1e9,
    text: row.text,
    bytes: row.bytes,
  };
}
