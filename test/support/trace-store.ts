// A deployment's trace store as an outsider asks it: over HTTP, with the job's token.
import * as z from "zod";

import { findControlPlane } from "../../scripts/targets/local/control-plane/control-plane.ts";
import { jobToken } from "../../scripts/targets/local/state/secrets.ts";
import { type KeyValue, scalarOf } from "#shared/tracing/otlp.ts";

const Attributes = z.array(
  z.custom<KeyValue>((value) => z.object({ key: z.string(), value: z.object({}) }).safeParse(value).success),
);
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().default(""),
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: z.coerce.bigint(),
  endTimeUnixNano: z.coerce.bigint(),
  attributes: Attributes.default([]),
  status: z.object({ code: z.number().default(0), message: z.string().default("") }).prefault({}),
});
const Document = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
});
const Page = Document.extend({ next: z.nullable(z.number()) });
const Summary = z.object({
  traceId: z.string(),
  kind: z.string(),
  status: z.string(),
  text: z.string(),
  openSpans: z.number(),
});
const Listed = z.object({ traces: z.array(Summary) });

export type TraceSummary = z.infer<typeof Summary>;

export interface TracedSpan extends z.infer<typeof Span> {
  /** `service.name` of its resource. */
  readonly agent: string;
  readonly open: boolean;
  /** `error.type`; undefined for a span that did not fail. */
  readonly error: string | undefined;
  readonly provisional: boolean;
  get(attribute: string): string | number | boolean | undefined;
}

export class TraceStore {
  readonly #url: string;
  readonly #token: string;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** The store of a job whose control plane runs; undefined otherwise. */
  static async of(home: string, job: string): Promise<TraceStore | undefined> {
    const controlPlane = await findControlPlane(home);
    return controlPlane && new TraceStore(controlPlane.url, jobToken(controlPlane.secret, job));
  }

  /** The store behind a control plane's address. */
  static at(url: string, token: string): TraceStore {
    return new TraceStore(url, token);
  }

  /** The latest traces of a kind, newest first, up to a thousand. */
  async list(kind = "query"): Promise<TraceSummary[]> {
    return Listed.parse(await this.#get(`/v1/traces?${kind === "all" ? "" : `kind=${kind}&`}limit=1000`)).traces;
  }

  /** All spans of a trace. */
  async spans(traceId: string): Promise<TracedSpan[]> {
    const spans: TracedSpan[] = [];
    for (let after: number | null = 0; after !== null;) {
      const page: z.infer<typeof Page> = Page.parse(await this.#get(`/v1/traces/${traceId}/otlp?after=${after}`));
      spans.push(...spansOf(page));
      after = page.next;
    }
    return spans;
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(this.#url + path, { headers: { authorization: `Bearer ${this.#token}` } });
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}

/** The spans of what `troupe traces export` prints. */
export function spansIn(json: string): TracedSpan[] {
  return spansOf(Document.parse(JSON.parse(json)));
}

function spansOf({ resourceSpans }: z.infer<typeof Document>): TracedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const agent = String(scalarOf(resource.attributes, "service.name"));
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => toTraced(span, agent)));
  });
}

function toTraced(span: z.infer<typeof Span>, agent: string): TracedSpan {
  const get = (attribute: string) => scalarOf(span.attributes, attribute);
  return {
    ...span,
    agent,
    open: span.endTimeUnixNano === 0n,
    error: span.status.code === 2 ? String(get("error.type")) : undefined,
    provisional: get("troupe.span.provisional") === true,
    get,
  };
}
