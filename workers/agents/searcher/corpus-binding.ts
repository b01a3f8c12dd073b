// Finds the searcher's one Corpus object among the bindings of its Worker.
import * as z from "zod";
import type { Corpus } from "./corpus.ts";

const Bindings = z.object({
  CORPUS: z.custom<DurableObjectNamespace<Corpus>>(
    (value) => typeof value === "object" && value !== null && "getByName" in value,
    "The binding CORPUS is missing: the job has to be deployed with the Worker's own Durable Object.",
  ),
});

/** Throws ZodError when the Worker was deployed without the binding. */
export function corpusOf(env: object): DurableObjectStub<Corpus> {
  return Bindings.parse(env).CORPUS.getByName("corpus");
}
