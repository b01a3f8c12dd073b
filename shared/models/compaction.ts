// Claude's own compaction (beta compact-2026-09-04): a request with `compaction` is answered with one signed block, which stands
// for the messages it was made of when it is sent back as the first of the conversation.
import type { BaseAnthropic } from "@anthropic-ai/sdk/client";
import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { CompactionBlock, type Compaction, type ModelRequest } from "./model.ts";
import { addUsage, NO_USAGE, type Usage } from "../tracing/usage.ts";

const BETA = { "anthropic-beta": "compact-2026-09-04" };

const Figures = z.object({
  input_tokens: z.number().catch(0),
  output_tokens: z.number().catch(0),
  cache_read_input_tokens: z.number().catch(0),
  cache_creation_input_tokens: z.number().catch(0),
});
const Answer = z.object({
  content: z.array(z.looseObject({ type: z.string() })),
  usage: Figures.extend({ iterations: z.array(Figures.extend({ type: z.string() })).catch([]) }),
});
/** The API's own block; the types of the API without betas do not name it. */
const Sendable = z.custom<ContentBlockParam>((block) => CompactionBlock.safeParse(block).success);
const Refused = z.object({
  error: z.object({ details: z.object({ error_code: z.string().startsWith("compaction_") }) }),
});

/** The messages of a request behind what was compacted before them, and the headers that it needs. */
export function withCompaction({ messages, compacted }: ModelRequest): {
  messages: MessageParam[];
  headers: Record<string, string>;
} {
  if (!compacted) return { messages, headers: {} };
  const block = Sendable.parse(compacted);
  const [first, ...rest] = messages;
  if (first?.role !== "assistant")
    return { messages: [{ role: "assistant", content: [block] }, ...messages], headers: BETA };
  const content = typeof first.content === "string" ? [{ type: "text" as const, text: first.content }] : first.content;
  return { messages: [{ role: "assistant", content: [block, ...content] }, ...rest], headers: BETA };
}

/** The summary that the API makes of the messages in `body`; undefined when it makes none. Throws what the client throws. */
export async function requestCompaction(
  client: BaseAnthropic,
  body: object,
  instructions: string,
  options: { readonly signal: AbortSignal; readonly maxRetries?: number },
): Promise<Compaction | undefined> {
  const answer: unknown = await client.post("/v1/messages", {
    body: { ...body, compaction: { type: "summarize", instructions } },
    headers: BETA,
    ...options,
  });
  const parsed = Answer.safeParse(answer).data;
  const block = parsed?.content.map((one) => CompactionBlock.safeParse(one).data).find((one) => one !== undefined);
  return parsed && block && { summary: block.content, block, usage: usageOf(parsed.usage) };
}

/** Whether the body of an error says that the API compacts, but not this conversation. */
export function refusesThisOne(body: unknown): boolean {
  return Refused.safeParse(body).success;
}

/** Tokens of the compaction itself are not part of the top-level figures. */
function usageOf({ iterations, ...top }: z.infer<typeof Answer>["usage"]): Usage {
  const parts = [top, ...iterations.filter(({ type }) => type === "compaction")];
  return parts.map(toUsage).reduce(addUsage, NO_USAGE);
}

function toUsage(figures: z.infer<typeof Figures>): Usage {
  return {
    inputTokens: figures.input_tokens,
    outputTokens: figures.output_tokens,
    cacheReadTokens: figures.cache_read_input_tokens,
    cacheWriteTokens: figures.cache_creation_input_tokens,
  };
}
