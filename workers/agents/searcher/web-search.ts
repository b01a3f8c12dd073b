// web_search: finds sources with the provider in the agent's config (`search`), by default the user's documents.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import type { AgentConfig } from "#shared/agent/config.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { formatPassages } from "#shared/retrieval/passages.ts";
import { searchBrave } from "./providers/brave.ts";
import { searchCorpus } from "./providers/corpus.ts";
import type { Search } from "./providers/provider.ts";
import { searchSearxng } from "./providers/searxng.ts";

const SearchConfig = z
  .discriminatedUnion("provider", [
    z.object({ provider: z.literal("corpus") }),
    z.object({ provider: z.literal("searxng"), url: z.url({ protocol: /^https?$/ }) }),
    z.object({ provider: z.literal("brave") }),
    z.object({ provider: z.literal("claude") }),
  ])
  .default({ provider: "corpus" });
type SearchConfig = z.output<typeof SearchConfig>;

/** The searcher's settings in a job file. */
export const SearcherConfig = z.object({
  search: SearchConfig,
  /** The folder of the documents in the job file, or false for none. Only deployments read this setting. */
  corpus: z.union([z.string(), z.literal(false)]).optional(),
});

const DEFAULT_LIMIT = 8;
/** Searches that Claude may run itself in one request. */
const CLAUDE_SEARCHES = 5;

export const webSearch = defineTool({
  name: "web_search",
  description:
    "Searches for sources. Returns the passages that fit best, each with its title and where it comes from. Ask with a few key words or a short question.",
  input: z.object({
    query: z.string().trim().min(1).max(2000).describe("What to look for"),
    limit: z.int().min(1).max(20).optional().describe(`How many passages to return; ${DEFAULT_LIMIT} when left out`),
  }),
  annotations: { readOnly: true, idempotent: true },
  async run({ query, limit }, call) {
    const search = searchWith(searchConfigOf(call.config));
    const passages = await search(query, limit ?? DEFAULT_LIMIT, call);
    return passages.length > 0 ? formatPassages(passages) : `Nothing was found for ${JSON.stringify(query)}.`;
  },
});

/** Whether the Claude API searches itself, so that the agent needs no tool for it. */
export function isSearchedByClaude({ model, config }: Pick<AgentConfig, "model" | "config">): boolean {
  return model.provider === "anthropic" && searchConfigOf(config).provider === "claude";
}

/** Claude's own web search for the Messages API; only the model itself calls it, not code that it runs. */
export const claudeWebSearch: ToolUnion = {
  type: "web_search_20260318",
  name: "web_search",
  max_uses: CLAUDE_SEARCHES,
  allowed_callers: ["direct"],
};

function searchConfigOf(config: Readonly<Record<string, unknown>>): SearchConfig {
  const parsed = SearchConfig.safeParse(config["search"]);
  if (parsed.success) return parsed.data;
  throw new Error(`The setting "search" of this agent is not valid: ${z.prettifyError(parsed.error)}`);
}

function searchWith(config: SearchConfig): Search {
  switch (config.provider) {
    case "corpus":
      return searchCorpus;
    case "searxng":
      return searchSearxng(config.url);
    case "brave":
      return searchBrave;
    case "claude":
      throw new Error(
        'The search provider "claude" works only with the model provider "anthropic". Choose corpus, searxng or brave.',
      );
  }
}
