// The searcher's tools, which depend on whether Claude searches itself.
import type { AgentDefinition } from "#shared/agent/definition.ts";
import { fetchUrl } from "#shared/tools/fetch-url.ts";
import { claudeWebSearch, isSearchedByClaude, webSearch } from "./web-search.ts";

type Tools = Required<Pick<AgentDefinition, "tools" | "serverTools">>;

export const searchTools: Tools = {
  tools: (config) => (isSearchedByClaude(config) ? [fetchUrl] : [webSearch, fetchUrl]),
  serverTools: (config) => (isSearchedByClaude(config) ? [claudeWebSearch] : []),
};
