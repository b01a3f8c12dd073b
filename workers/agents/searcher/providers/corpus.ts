// Searches the user's own documents.
import { corpusOf } from "../corpus-binding.ts";
import type { Search } from "./provider.ts";

export const searchCorpus: Search = async (query, limit, { env }) => {
  const passages = await corpusOf(env).search(query, limit);
  return passages.map(({ title, source, text }) => ({ title, source, text }));
};
