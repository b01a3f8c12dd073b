// Searches the web through a SearXNG instance of the user's. https://docs.searxng.org/dev/search_api.html
import * as z from "zod";
import { askService, plainText, type Search } from "./provider.ts";

const Answer = z.object({
  results: z.array(z.object({ title: z.string(), url: z.string(), content: z.string().nullish() })),
});
const Network = z.custom<Fetcher>((value) => typeof value === "object" && value !== null && "fetch" in value);

/** `url` is the instance's address; since the user chose it, it may be private where the agent has such a network. */
export function searchSearxng(url: string): Search {
  return async (query, limit, { env, signal }) => {
    const target = new URL(`${url.replace(/\/+$/, "")}/search`);
    target.search = new URLSearchParams({ q: query, format: "json" }).toString();
    const network = Network.safeParse(env["NETWORK"]).data ?? globalThis;
    const { results } = await askService({ name: "SearXNG", url: target, network, signal }, Answer);
    return results
      .filter(({ content }) => content)
      .slice(0, limit)
      .map((result) => ({ title: result.title, source: result.url, text: plainText(result.content ?? "") }));
  };
}
