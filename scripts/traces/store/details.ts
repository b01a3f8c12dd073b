// Facts of spans that a drawn trace shows beyond the columns. They stand in attributes, so the whole spans are read.
import { GEN_AI, OPERATION, TROUPE } from "#shared/tracing/names.ts";
import { parseJson } from "#shared/text/parse-json.ts";
import { KIND } from "#shared/tracing/otlp.ts";

import { plainAttributes, type WholeSpan } from "./otlp-page.ts";
import type { TraceSummary } from "../span.ts";
import type { TraceStore } from "./store.ts";

export interface Detail {
  /** Microseconds until the first piece of a model's answer. */
  readonly firstUs?: number;
  /** The peer that a call asks. */
  readonly peer?: string;
  /** The question to a peer, or the input of a tool, shortened; only where content is recorded. */
  readonly asked?: string;
}

/** Larger traces are drawn without details. */
const MOST_BYTES = 4_000_000;
/** Characters; no screen is wider. */
const MOST_ASKED = 400;

/** By span id. */
export async function readDetails(
  store: Pick<TraceStore, "otlp">,
  { traceId, bytes }: TraceSummary,
): Promise<Map<string, Detail>> {
  const details = new Map<string, Detail>();
  if (bytes > MOST_BYTES) return details;
  for await (const { resourceSpans } of store.otlp(traceId)) {
    for (const span of resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))) {
      const detail = detailOf(span);
      if (Object.keys(detail).length > 0) details.set(span.spanId, detail);
    }
  }
  return details;
}

function detailOf({ kind, attributes }: WholeSpan): Detail {
  const values = plainAttributes(attributes);
  const { [GEN_AI.timeToFirstChunk]: seconds, [TROUPE.target]: peer, [TROUPE.question]: question } = values;
  if (values[GEN_AI.operation] === OPERATION.executeTool) return askedOf(inputText(values[GEN_AI.toolArguments]));
  if (kind !== KIND.client) return {};
  return {
    ...(typeof seconds === "number" ? { firstUs: seconds * 1_000_000 } : {}),
    ...(typeof peer === "string" ? { peer } : {}),
    ...(typeof question === "string" && question !== "" ? askedOf(`“${question}”`) : {}),
  };
}

function askedOf(text: string): Detail {
  return text === "" ? {} : { asked: text.slice(0, MOST_ASKED) };
}

/** `query: workerd, limit: 5`; other input, and input that was cut, unchanged. */
function inputText(input: unknown): string {
  const parsed = typeof input === "string" ? parseJson(input) : undefined;
  const value = parsed === undefined ? input : parsed;
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  const shown = (part: unknown): string => (typeof part === "string" ? part : JSON.stringify(part));
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return Object.entries(value)
    .map(([key, part]) => `${key}: ${shown(part)}`)
    .join(", ");
}
