// Closes the open spans of a lost agent, so that its traces end. The end is provisional: the agent's own end, if it
// still comes, replaces it.
import { ERROR, GENERAL, TROUPE } from "#shared/tracing/names.ts";
import { STATUS } from "#shared/tracing/otlp.ts";
import { fields, list } from "./otlp/fields.ts";
import { toResourceSpans } from "./rows/pages.ts";
import { readExport } from "./otlp/read-export.ts";
import type { SpanBatch } from "./otlp/span-record.ts";
import type { OpenSpan } from "./rows/span-rows.ts";
import type { LostAgent } from "../rpc.ts";

/** The spans with an end: `at`, or the last thing that the agent is known to have done in the trace, if later. */
export function closed(spans: readonly OpenSpan[], { agent, at, reason }: LostAgent, now: number): SpanBatch {
  const ended = spans.map(({ json, start_us, heard_us, ...source }) => {
    const span = fields(JSON.parse(json), "a stored span");
    const endUs = Math.max(at * 1000, heard_us);
    const closedSpan = {
      ...span,
      // The column holds microseconds, the start nanoseconds.
      endTimeUnixNano: endUs > start_us ? `${endUs}000` : span["startTimeUnixNano"],
      attributes: [...list(span["attributes"], "a stored span's attributes"), ...ATTRIBUTES],
      status: { code: STATUS.error, message: `The agent ${agent} was lost: ${reason}` },
    };
    return { ...source, json: JSON.stringify(closedSpan) };
  });
  const resourceSpans: unknown = JSON.parse(toResourceSpans(ended));
  const read = readExport({ resourceSpans }, now);
  if (!read.ok) throw new Error(read.message);
  return read.batch;
}

/**
 * The open spans below each interrupted turn of a batch. The agent itself ends the spans of its message and its turn,
 * but does not know the calls below, whose isolate or object is gone.
 */
export function interruptedIn({ sources, spans }: SpanBatch): LostAgent[] {
  const lost = new Map<string, LostAgent>();
  for (const { isInterrupted, traceId, source, startUs, durationUs } of spans) {
    const agent = sources[source]?.agent ?? "";
    if (!isInterrupted) continue;
    const reason = "it was interrupted in the middle of a turn.";
    lost.set(`${traceId} ${agent}`, { agent, traceId, untilUs: startUs + durationUs, at: 0, reason });
  }
  return [...lost.values()];
}

const ATTRIBUTES = [
  { key: GENERAL.errorType, value: { stringValue: ERROR.agentLost } },
  { key: TROUPE.provisional, value: { boolValue: true } },
];
