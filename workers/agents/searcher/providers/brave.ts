// Searches the web through the Brave Search API. https://api-dashboard.search.brave.com/app/documentation/web-search
import * as z from "zod";
import { askService, plainText, type Search } from "./provider.ts";

const Answer = z.object({
  web: z
    .object({ results: z.array(z.object({ title: z.string(), url: z.string(), description: z.string().default("") })) })
    .optional(),
});
const Key = z.string().min(1);

export const searchBrave: Search = async (query, limit, { env, signal }) => {
  const key = Key.safeParse(env["BRAVE_API_KEY"]);
  if (!key.success) throw new Error("Brave needs a key: set BRAVE_API_KEY in the agent's env and deploy again.");
  const url = new URL("https://api.search.brave.com/res/v1/web/search");
  url.search = new URLSearchParams({ q: query.slice(0, 400), count: String(limit) }).toString();
  const headers = { "x-subscription-token": key.data };
  const { web } = await askService({ name: "Brave", url, headers, network: globalThis, signal }, Answer);
  return (web?.results ?? []).slice(0, limit).map((result) => ({
    title: plainText(result.title),
    source: result.url,
    text: plainText(result.description),
  }));
};
