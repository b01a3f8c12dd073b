// Closes spans of an agent that is gone, so that a trace does not stay open for it. The end is provisional: the agent's own, should
// it still come, replaces it.
import { ERROR, GENERAL, TROUPE } from "#shared/tracing/names.ts";
import { STATUS } from "#shared/tracing/otlp.ts";
import { fields, list } from "./fields.ts";
import { readExport } from "./read-export.ts";
import type { SpanBatch } from "./span-record.ts";
import type { OpenSpan } from "./span-rows.ts";

/** Which spans are closed, and how. */
export interface LostAgent {
  readonly agent: string;
  /** Spans of this instance stay open. */
  readonly keepInstance?: string | undefined;
  /** The last moment known of the agent, in ms since the epoch. */
  readonly at: number;
  /** What has become of it, as the end of a sentence. */
  readonly reason: string;
}

/** The spans with an end. Of those that were told of later than `at` it is that moment. */
export function closed(spans: readonly OpenSpan[], { agent, at, reason }: LostAgent, now: number): SpanBatch {
  const resourceSpans = spans.map((open) => {
    const span = fields(JSON.parse(open.json), "a stored span");
    const endUs = Math.max(at, open.changed_at) * 1000;
    const closedSpan = {
      ...span,
      // A start has nanoseconds, which the column leaves out.
      endTimeUnixNano: endUs > open.start_us ? `${endUs}000` : span["startTimeUnixNano"],
      attributes: [...list(span["attributes"], "a stored span's attributes"), ...ATTRIBUTES],
      status: { code: STATUS.error, message: `The agent ${agent} was lost: ${reason}` },
    };
    const scope = fields(JSON.parse(open.scope), "a stored scope");
    const resource = fields(JSON.parse(open.resource), "a stored resource");
    return { ...resource, scopeSpans: [{ ...scope, spans: [closedSpan] }] };
  });
  const read = readExport({ resourceSpans }, now);
  if (!read.ok) throw new Error(read.message);
  return read.batch;
}

const ATTRIBUTES = [
  { key: GENERAL.errorType, value: { stringValue: ERROR.agentLost } },
  { key: TROUPE.provisional, value: { boolValue: true } },
];
