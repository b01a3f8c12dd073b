// Claude's own compaction (beta compact-2026-09-04): the API answers a request with `compaction` with one signed block.
// Sent back first in the conversation, the block stands for the messages before it.
import type { BaseAnthropic } from "@anthropic-ai/sdk/client";
import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { isApiError, isNotServed } from "./model-errors.ts";
import { CompactionBlock, ModelError, type Compaction, type ModelRequest } from "./model.ts";
import { addUsage, NO_USAGE, ReportedFigure, type Usage } from "../budget/usage.ts";

const BETA_NAME = "compact-2026-09-04";
const BETA = { "anthropic-beta": BETA_NAME };

const Figures = z.object({
  input_tokens: ReportedFigure,
  output_tokens: ReportedFigure,
  cache_read_input_tokens: ReportedFigure,
  cache_creation_input_tokens: ReportedFigure,
});
const Answer = z.object({
  content: z.array(z.looseObject({ type: z.string() })),
  stop_reason: z.string().nullish().catch(null),
  usage: Figures.extend({ iterations: z.array(Figures.extend({ type: z.string() })).catch([]) }),
});
/** The API's own block, which its types without betas do not name. */
const Sendable = z.custom<ContentBlockParam>((block) => CompactionBlock.safeParse(block).success);
const Refused = z.object({ error: z.object({ message: z.string() }) });
/** How a server refuses an unknown parameter or beta. */
const UNKNOWN =
  /\bcompaction\b.{0,2000}?(?:not (?:permitted|supported|allowed)|extra inputs|un(?:known|expected|recogni[sz]ed))/i;
/** Stop reasons of a missing or incomplete summary. */
const BROKEN: ReadonlySet<string | null | undefined> = new Set([
  "max_tokens",
  "refusal",
  "model_context_window_exceeded",
]);

/** The messages of a request after the compacted block, and the headers that such a block needs. */
export function withCompaction({ messages, compacted }: ModelRequest): {
  messages: MessageParam[];
  beta: typeof BETA | undefined;
} {
  if (!compacted) return { messages, beta: undefined };
  const block = Sendable.parse(compacted);
  const [first, ...rest] = messages;
  if (first?.role !== "assistant")
    return { messages: [{ role: "assistant", content: [block] }, ...messages], beta: BETA };
  const content = typeof first.content === "string" ? [{ type: "text" as const, text: first.content }] : first.content;
  return { messages: [{ role: "assistant", content: [block, ...content] }, ...rest], beta: BETA };
}

/** `isKnown` is false when the server ignored the parameter and answered as usual. Throws what the client throws. */
export async function requestCompaction(
  client: BaseAnthropic,
  body: object,
  instructions: string,
  options: { readonly signal: AbortSignal; readonly maxRetries?: number },
): Promise<Compaction & { readonly isKnown: boolean }> {
  const sent: unknown = await client.post("/v1/messages", {
    body: { ...body, compaction: { type: "summarize", instructions } },
    headers: BETA,
    ...options,
  });
  const answer = Answer.safeParse(sent).data;
  if (!answer)
    throw new ModelError("broken_stream", "The model API was asked for a summary, and answered something else.");
  const { content, stop_reason: stopReason, usage } = answer;
  const block = content.map((one) => CompactionBlock.safeParse(one).data).find((one) => one !== undefined);
  return {
    block: BROKEN.has(stopReason) ? undefined : block,
    usage: usageOf(usage),
    isKnown: content.every(({ type }) => type === "compaction"),
  };
}

/** Whether the error says that the server has no compaction at all. */
export function hasNoCompaction(error: unknown): boolean {
  if (isNotServed(error)) return true;
  if (!isApiError(error)) return false;
  const said = Refused.safeParse(error.error).data?.error.message ?? "";
  return error.status === 400 && (UNKNOWN.test(said) || said.includes(BETA_NAME));
}

/** Adds the compaction's own tokens, which the top-level figures exclude. */
function usageOf({ iterations, ...top }: z.infer<typeof Answer>["usage"]): Usage {
  const parts = [top, ...iterations.filter(({ type }) => type === "compaction")];
  return parts.map(toUsage).reduce(addUsage, NO_USAGE);
}

function toUsage(figures: z.infer<typeof Figures>): Usage {
  return {
    inputTokens: figures.input_tokens ?? 0,
    outputTokens: figures.output_tokens ?? 0,
    cacheReadTokens: figures.cache_read_input_tokens ?? 0,
    cacheWriteTokens: figures.cache_creation_input_tokens ?? 0,
  };
}
