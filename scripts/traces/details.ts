// What a drawn trace shows of its spans beyond the columns. It stands in attributes, so the whole spans must be read for it.
import { GEN_AI, TROUPE } from "#shared/tracing/names.ts";
import { KIND } from "#shared/tracing/otlp.ts";

import { plainAttributes } from "./otlp-page.ts";
import type { TraceSummary } from "./shapes.ts";
import type { TraceStore } from "./store.ts";

export interface Detail {
  /** Until the first piece of a model's answer came, in microseconds. */
  readonly firstUs?: number;
  /** Who was asked, in a call to a peer. */
  readonly target?: string;
}

/** Larger traces are drawn without. */
const MOST_BYTES = 4_000_000;

/** By span id. */
export async function readDetails(store: TraceStore, { traceId, bytes }: TraceSummary): Promise<Map<string, Detail>> {
  const details = new Map<string, Detail>();
  if (bytes > MOST_BYTES) return details;
  for await (const { resourceSpans } of store.otlp(traceId)) {
    for (const { spanId, kind, attributes } of resourceSpans.flatMap((from) =>
      from.scopeSpans.flatMap((s) => s.spans),
    )) {
      if (kind !== KIND.client) continue;
      const { [GEN_AI.timeToFirstChunk]: seconds, [TROUPE.target]: target } = plainAttributes(attributes);
      details.set(spanId, {
        ...(typeof seconds === "number" ? { firstUs: seconds * 1_000_000 } : {}),
        ...(typeof target === "string" ? { target } : {}),
      });
    }
  }
  return details;
}
