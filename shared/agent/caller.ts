// The caller of an agent, and the asker of a task.
import * as z from "zod";

/** Who calls, as far as it could be proved. */
export interface Caller {
  /** The owner of the sessions. */
  readonly principal: string;
  /** The agents the query went through, oldest first; empty when a person asks. */
  readonly chain: readonly string[];
  /** The query that the message is part of; undefined where it begins one. */
  readonly query: string | undefined;
  /** `traceparent` of the request, unparsed. */
  readonly traceparent: string | null;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/** The owner of all sessions, as long as there are no accounts. */
export const LOCAL_PRINCIPAL = "local";

/** Who asked a task: the next life of the object resumes it in the same name. */
export const Asker = z.object({
  principal: z.string(),
  /** The agents the query went through, oldest first; empty when a person asks. */
  chain: z.array(z.string()),
  /** The query that this is part of; its budget is kept under this id. */
  query: z.string(),
});

export type Asker = Readonly<z.infer<typeof Asker>>;
