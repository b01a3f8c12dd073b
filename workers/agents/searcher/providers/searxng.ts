// Searches the web through the user's SearXNG instance. https://docs.searxng.org/dev/search_api.html
import * as z from "zod";
import { reach } from "#shared/http/reach.ts";
import { askService, plainText, type Search } from "./provider.ts";

const Answer = z.object({
  results: z.array(z.object({ title: z.string(), url: z.string(), content: z.string().nullish() })),
});

/** `url` is the instance's address in the agent's settings. It may be private. */
export function searchSearxng(url: string): Search {
  return async (query, limit, { env, signal }) => {
    const target = new URL(`${url.replace(/\/+$/, "")}/search`);
    target.search = new URLSearchParams({ q: query, format: "json" }).toString();
    const { results } = await askService({ name: "SearXNG", url: target, network: reach(env, url), signal }, Answer);
    return results
      .filter(({ content }) => content)
      .slice(0, limit)
      .map((result) => ({ title: result.title, source: result.url, text: plainText(result.content ?? "") }));
  };
}
