// Searches the user's own documents, which the searcher's one Corpus object keeps.
import { ownObject } from "#shared/durable/own-object.ts";
import type { Corpus } from "../corpus.ts";
import type { Search } from "./provider.ts";

/** Throws ZodError when the Worker was deployed without its object. */
export function corpusOf(env: object): DurableObjectStub<Corpus> {
  return ownObject<Corpus>(env, "CORPUS", "corpus");
}

export const searchCorpus: Search = async (query, limit, { env }) => {
  const passages = await corpusOf(env).search(query, limit);
  return passages.map(({ title, source, text }) => ({ title, source, text }));
};
