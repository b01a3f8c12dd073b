// Approvals: questions to a person, or to the job's policy, before a tool runs, and their answers.
import * as z from "zod";

/** One question. `id` is a signature over the call and its input, and so binds the answer to them. */
export const Approval = z.object({
  id: z.string(),
  /** The agent whose tool it is. */
  agent: z.string(),
  tool: z.string(),
  input: z.record(z.string(), z.unknown()),
  /** Why the tool needs an approval, for the person who decides. */
  reason: z.string(),
  /** Milliseconds since the epoch. Afterwards no answer counts, and the call is denied. */
  expiresAt: z.number().min(0).max(8.64e15),
});
export type Approval = Readonly<z.infer<typeof Approval>>;

export const ApprovalAnswer = z.object({
  id: z.string(),
  decision: z.enum(["allow", "deny"]),
  /** For the model, when the call is denied. */
  reason: z.optional(z.string()),
});
export type ApprovalAnswer = Readonly<z.infer<typeof ApprovalAnswer>>;

/** Said to the model, and to agents down the chain, of what nobody answered. */
export const EXPIRED = "Nobody approved it in time, which counts as a no.";

/** An answer that the job file gives. */
export const ApprovalRule = z.object({
  /** Tool name. `*` at its end matches any rest. */
  tool: z.string(),
  /** Field of the input → allowed values, in which `*` matches any text. All fields have to match. */
  input: z.optional(z.record(z.string(), z.array(z.string()))),
  decision: z.enum(["allow", "deny"]),
});
export type ApprovalRule = Readonly<z.infer<typeof ApprovalRule>>;
