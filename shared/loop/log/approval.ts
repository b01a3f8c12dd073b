// Approvals: what a person, or the job's policy, is asked before a tool runs, and what they answer.
import * as z from "zod";

/** One question. `id` binds it to exactly this call with exactly this input: it is a signature over them. */
export const Approval = z.object({
  id: z.string(),
  /** The agent whose tool it is. */
  agent: z.string(),
  tool: z.string(),
  input: z.record(z.string(), z.unknown()),
  /** Why it is asked, for the person who decides. */
  reason: z.string(),
  /** Milliseconds since the epoch; after that no answer counts, and no answer means no. */
  expiresAt: z.number().min(0).max(8.64e15),
});
export type Approval = Readonly<z.infer<typeof Approval>>;

/** Data part of the message with which an agent asks for approvals. */
export const ApprovalsAsked = z.object({ approvals: z.array(Approval) });

export const ApprovalAnswer = z.object({
  id: z.string(),
  decision: z.enum(["allow", "deny"]),
  /** Said to the model when it is denied. */
  reason: z.optional(z.string()),
});
export type ApprovalAnswer = Readonly<z.infer<typeof ApprovalAnswer>>;

/** Said to the model, and to agents down the chain, of what nobody answered. */
export const EXPIRED = "Nobody approved it in time, which counts as a no.";

/** An answer that the job file gives. */
export const ApprovalRule = z.object({
  /** Tool name; `*` at its end stands for any rest. */
  tool: z.string(),
  /** Field of the input → values, each with `*` for any text; all fields have to fit. */
  input: z.optional(z.record(z.string(), z.array(z.string()))),
  decision: z.enum(["allow", "deny"]),
});
export type ApprovalRule = Readonly<z.infer<typeof ApprovalRule>>;
