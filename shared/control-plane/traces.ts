// Wire format of the trace store's reading API. Types, checks and the OpenAPI document derive from these schemas.
import * as z from "zod";

export const TraceId = z
  .string()
  .regex(/^[0-9a-f]{32}$/i, "must be 32 hex digits")
  .transform((id) => id.toLowerCase());

const Time = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: "must be an ISO 8601 time such as 2026-11-21T08:00:00Z",
});
/** Microseconds since the epoch. */
const TimeUs = Time.transform((time) => Date.parse(time) * 1000);

export const TRACE_KINDS = ["query", "deploy", "lifecycle", "other"] as const;
const TraceStatus = z.enum(["ok", "error", "open"]);

/** The end of a page: start of its last trace in µs, and the trace's id. */
const Cursor = z
  .string()
  .regex(/^\d{1,17}-[0-9a-f]{32}$/, "must be what `next` of a page before was")
  .transform((cursor) => ({ startUs: Number(cursor.slice(0, -33)), traceId: cursor.slice(-32) }));

export const ListQuery = z.strictObject({
  kind: z.enum(TRACE_KINDS).optional(),
  agent: z.string().min(1).max(200).optional().meta({ description: "One that took part." }),
  status: TraceStatus.optional(),
  since: TimeUs.optional().meta({ description: "Start of the trace, inclusive." }),
  until: TimeUs.optional().meta({ description: "Start of the trace, exclusive." }),
  minMs: z.coerce.number().min(0).optional().meta({ description: "Milliseconds that an ended trace took at least." }),
  minCost: z.coerce.number().min(0).optional().meta({ description: "US dollars." }),
  text: z.string().max(500).optional().meta({
    description:
      "Part of the question, the answer, the root's name or a message of an error, upper or lower case. The first 4,000 characters of each and 2,000 of errors are searched.",
  }),
  id: z
    .string()
    .regex(/^[0-9a-f]{1,32}$/i, "must be the first hex digits of an id")
    .transform((id) => id.toLowerCase())
    .optional()
    .meta({ description: "First hex digits of the trace's id." }),
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  cursor: Cursor.optional().meta({ description: "`next` of the page before." }),
});
export type ListQuery = z.output<typeof ListQuery>;

export const PageQuery = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .meta({ description: "The highest `seq` seen; 0 for the beginning." }),
  limit: z.coerce.number().int().min(1).max(10_000).default(5000),
});
export type PageQuery = z.output<typeof PageQuery>;

export const DeleteQuery = z.strictObject({
  before: TimeUs.meta({ description: "Traces that began before are deleted, open ones too." }),
});

export const NoQuery = z.strictObject({});

export const TraceSummary = z.object({
  traceId: z.string(),
  kind: z.enum(TRACE_KINDS),
  name: z.string().meta({ description: "Of the root." }),
  agent: z.string().meta({ description: 'Of the root; "" until it is known.' }),
  agents: z.array(z.string()),
  startTime: z.string().meta({ description: "ISO 8601; start of the earliest span." }),
  startUs: z.int().meta({ description: "The same in microseconds since the epoch." }),
  durationMs: z.number().nullable().meta({
    description:
      "Of the root; from the first start to the last end where the root's parent never came; null while open.",
  }),
  status: TraceStatus.meta({
    description:
      "error when the root failed. open while the root is, or while its parent may still come: until nothing has come for a minute.",
  }),
  spans: z.int(),
  openSpans: z.int(),
  errors: z.int().meta({ description: "Spans with status 2." }),
  modelCalls: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costUsd: z.number().nullable().meta({ description: "null when no call had a price." }),
  text: z.string().meta({ description: "What was asked, at most 200 characters." }),
  bytes: z.int().meta({ description: "About: characters of its spans as OTLP/JSON." }),
});
export type TraceSummary = z.output<typeof TraceSummary>;

export const TraceList = z.object({ traces: z.array(TraceSummary), next: z.string().nullable() });
export type TraceList = z.output<typeof TraceList>;

const index = z.array(z.int()).meta({ description: "Indexes into `strings`." });
const numbers = z.array(z.number());

export const SpanColumns = z
  .object({
    strings: z.array(z.string()).meta({ description: 'The first is "".' }),
    seq: numbers.meta({ description: "A span gets a new one with every change; rows are in its order." }),
    spanId: z.array(z.string()),
    parentId: z.array(z.string()),
    name: index,
    agent: index,
    kind: numbers.meta({ description: "SpanKind of OTLP." }),
    startUs: numbers,
    durationUs: numbers.meta({ description: "-1 while open." }),
    status: numbers.meta({ description: "0 unset, 1 ok, 2 error." }),
    message: index,
    provisional: numbers.meta({ description: "1 where the registry closed the span for an agent that is gone." }),
    operation: index.meta({ description: "`gen_ai.operation.name`, else `a2a.method.name`." }),
    inputTokens: z.array(z.number().nullable()),
    outputTokens: z.array(z.number().nullable()),
    costUsd: z.array(z.number().nullable()),
  })
  .meta({ description: "Parallel arrays, one entry a span." });
export type SpanColumns = z.output<typeof SpanColumns>;

export const TracePage = z.object({ trace: TraceSummary, columns: SpanColumns, next: z.int().nullable() });
export type TracePage = z.output<typeof TracePage>;

export const OtlpPage = z.object({
  resourceSpans: z.array(z.unknown()).meta({ description: "OTLP/JSON." }),
  next: z.int().nullable(),
});

export const Deleted = z.object({ deleted: z.int() });
