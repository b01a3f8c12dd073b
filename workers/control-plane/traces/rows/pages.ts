// Pages of one trace's spans in order of `seq`, as columns for an overview and as OTLP/JSON. Pages are text, because
// RPC of objects would cost more than the spans: a page may have 10,000.
import type { PageQuery, SpanColumns } from "#shared/control-plane/traces.ts";

/** Approximate characters of one page: RPC carries 32 MiB, and a character may take two bytes. */
const MAX_CHARACTERS = 8_000_000;

/** Parameters: trace id, last `seq` seen, limit. Reads the index alone. */
const SEQS = `(
  SELECT seq FROM spans WHERE trace = (SELECT number FROM traces WHERE trace_id = ?) AND seq > ? ORDER BY seq LIMIT ?
)`;

type Row = [
  seq: number,
  spanId: string,
  parentId: string,
  name: string,
  agent: string,
  kind: number,
  startUs: number,
  durationUs: number,
  status: number,
  message: string,
  provisional: number,
  operation: string,
  inputTokens: number | null,
  outputTokens: number | null,
  cost: number | null,
];

export function columnPage(
  sql: SqlStorage,
  traceId: string,
  { after, limit }: PageQuery,
): { columns: SpanColumns; next: number | null } {
  const strings = new Map([["", 0]]);
  let characters = 0;
  const indexOf = (text: string) => {
    let index = strings.get(text);
    if (index === undefined) {
      strings.set(text, (index = strings.size));
      characters += text.length;
    }
    return index;
  };
  const columns: Omit<SpanColumns, "strings"> = {
    seq: [],
    spanId: [],
    parentId: [],
    name: [],
    agent: [],
    kind: [],
    startUs: [],
    durationUs: [],
    status: [],
    message: [],
    provisional: [],
    operation: [],
    inputTokens: [],
    outputTokens: [],
    costUsd: [],
  };
  const rows = sql
    .exec(
      `SELECT seq, span_id, parent_id, name, sources.agent, kind, start_us, duration_us, status, message, provisional, operation,
         input_tokens, output_tokens, cost
       FROM ${SEQS} CROSS JOIN spans USING (seq) JOIN sources ON sources.number = source`,
      traceId,
      after,
      limit + 1,
    )
    .raw<Row>();
  let next: number | null = null;
  for (const row of rows) {
    if (columns.seq.length === limit || characters > MAX_CHARACTERS) {
      next = columns.seq.at(-1) ?? null;
      break;
    }
    columns.seq.push(row[0]);
    columns.spanId.push(row[1]);
    columns.parentId.push(row[2]);
    columns.name.push(indexOf(row[3]));
    columns.agent.push(indexOf(row[4]));
    columns.kind.push(row[5]);
    columns.startUs.push(row[6]);
    columns.durationUs.push(row[7]);
    columns.status.push(row[8]);
    columns.message.push(indexOf(row[9]));
    columns.provisional.push(row[10]);
    columns.operation.push(indexOf(row[11]));
    columns.inputTokens.push(row[12]);
    columns.outputTokens.push(row[13]);
    columns.costUsd.push(row[14]);
  }
  return { columns: { strings: [...strings.keys()], ...columns }, next };
}

/** A stored span with its source. */
export type StoredJson = { seq: number; resource: string; scope: string; json: string };

/** OTLP/JSON: `{"resourceSpans":[…],"next":…}`. */
export function otlpPage(sql: SqlStorage, traceId: string, { after, limit }: PageQuery): string {
  const spans: StoredJson[] = [];
  const sources = new Set<string>();
  let characters = 0;
  let next: number | null = null;
  const rows = sql.exec<StoredJson>(
    `SELECT seq, resource, scope, json FROM ${SEQS} CROSS JOIN spans USING (seq) JOIN sources ON sources.number = source`,
    traceId,
    after,
    limit + 1,
  );
  for (const row of rows) {
    const source = row.resource + row.scope;
    const size = row.json.length + (sources.has(source) ? 0 : source.length);
    if (spans.length === limit || (spans.length > 0 && characters + size > MAX_CHARACTERS)) {
      next = spans.at(-1)?.seq ?? null;
      break;
    }
    spans.push(row);
    sources.add(source);
    characters += size;
  }
  return `{"resourceSpans":${toResourceSpans(spans)},"next":${next}}`;
}

/**
 * JSON of `resourceSpans`. Resources and scopes are stored as `{"resource":…}` and `{"scope":…}`; their children are
 * added here.
 */
export function toResourceSpans(spans: readonly Omit<StoredJson, "seq">[]): string {
  const resources = new Map<string, Map<string, string[]>>();
  for (const { resource, scope, json } of spans) {
    let scopes = resources.get(resource);
    if (!scopes) resources.set(resource, (scopes = new Map<string, string[]>()));
    const list = scopes.get(scope);
    if (list) list.push(json);
    else scopes.set(scope, [json]);
  }
  const list = [...resources].map(([resource, scopes]) => {
    const scopeSpans = [...scopes].map(([scope, spans]) => withMember(scope, `"spans":[${spans.join(",")}]`));
    return withMember(resource, `"scopeSpans":[${scopeSpans.join(",")}]`);
  });
  return `[${list.join(",")}]`;
}

/** The JSON of `object` with one more member. */
function withMember(object: string, member: string): string {
  return object === "{}" ? `{${member}}` : `${object.slice(0, -1)},${member}}`;
}
