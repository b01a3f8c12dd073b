// A span as the trace store reads it, for tests of what becomes of it.
import type { SpanRecord } from "../../workers/control-plane/traces/otlp/span-record.ts";

export function spanRecord(parts: Partial<SpanRecord> = {}): SpanRecord {
  return {
    traceId: "t",
    spanId: "s",
    parentId: "",
    name: "",
    kind: 1,
    startUs: 0,
    durationUs: 0,
    status: 0,
    message: "",
    provisional: false,
    isInterrupted: false,
    operation: "",
    inputTokens: null,
    outputTokens: null,
    cost: null,
    traceKind: "",
    bytes: 0,
    json: "{}",
    source: 0,
    ...parts,
  };
}
