// Wire format of an agent's look at its neighbours. Only the command line that deployed the job asks for it.
import * as z from "zod";

/** POST: the agent greets each neighbour of the same job, and answers with what came of it. */
export const NEIGHBOURS_PATH = "/neighbours";
/** POST: answers 204 to whoever has proved to be an agent that may ask this one. */
export const GREETING_PATH = "/greeting";

export const Neighbours = z.object({
  /** `failure`: one line that says why the neighbour cannot be asked; absent where it can. */
  neighbours: z.array(z.object({ id: z.string(), failure: z.optional(z.string()) })),
});
export type Neighbours = z.infer<typeof Neighbours>;
