// The session's log: what happened in a thread, in order, append-only. Towards the model it is a conversation (conversation.ts).
import type { ContentBlock, StopReason } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { CompactionBlock } from "../models/model.ts";
import { Approval } from "./approval.ts";
import { Usage } from "../budget/usage.ts";

const Called = z.looseObject({ type: z.literal("tool_use"), id: z.string(), name: z.string() });
const Other = z.looseObject({ type: z.string().refine((type) => type !== "tool_use") });
/** A block as the API sent it: kept verbatim, since thinking blocks are bound to their conversation, so only what the loop needs is looked at. */
const Block = z.custom<ContentBlock>((value) => z.union([Called, Other]).safeParse(value).success);

const STOP_REASONS = [
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
] as const satisfies readonly StopReason[];

/** Reasons that other backends make up say no more than none does. */
export const KnownStopReason = z.nullable(z.enum(STOP_REASONS)).catch(null);

/** Who was asked, and by which name of a model: what is signed or sealed is bound to them. Left out in logs from before. */
const Origin = z.optional(z.object({ provider: z.string(), server: z.string(), model: z.string() }));

/** It was made because the backend had said that the conversation is too long, which is answered so once in a turn. */
const Refused = z.optional(z.literal(true));

export const Step = z.discriminatedUnion("kind", [
  /** What the person, or the peer that opened this thread, said. */
  z.object({
    kind: z.literal("user"),
    text: z.string(),
    /** It is no message for the model, but this is to be done. */
    command: z.optional(z.literal("compact")),
  }),
  /** A hook refused the message before this: the model never sees it. */
  z.object({ kind: z.literal("blocked"), reason: z.string() }),
  /** A hook ended the turn. */
  z.object({ kind: z.literal("stopped"), reason: z.string() }),
  /** One model call, whole. */
  z.object({
    kind: z.literal("assistant"),
    content: z.array(Block),
    stopReason: z.nullable(z.enum(STOP_REASONS)),
    usage: Usage,
    /** As it calls itself. */
    model: z.string(),
    origin: Origin,
    /** Raw text of tool inputs that were not JSON, by tool_use id. */
    malformedInputs: z.record(z.string(), z.string()),
    /** What was set aside for the call at the query's account. */
    reservation: z.optional(z.string()),
  }),
  /** A model call broke off, here or with an earlier life: what it cost nobody knows, so all that it could have counts. In tokens. */
  z.object({
    kind: z.literal("model_cut"),
    inputTokens: z.int(),
    maxTokens: z.int(),
    webSearches: z.optional(z.int()),
  }),
  /** A tool is about to run that may not run twice. */
  z.object({ kind: z.literal("tool_start"), toolUseId: z.string() }),
  /** A tool may run only if this is answered with yes. */
  z.object({
    kind: z.literal("approval"),
    toolUseId: z.string(),
    approval: Approval,
    /** Milliseconds since the epoch. */
    askedAt: z.number(),
    /** Of the span that lasts until it is answered. */
    spanId: z.string(),
  }),
  /** A peer that a tool call asked waits for these answers. */
  z.object({
    kind: z.literal("peer_input"),
    toolUseId: z.string(),
    agent: z.string(),
    /** Of the question among those of its call; left out for the first. */
    ordinal: z.optional(z.int()),
    taskId: z.string(),
    approvals: z.array(Approval),
    /** Milliseconds since the epoch. */
    askedAt: z.number(),
    /** Of the spans that last until they are answered, one for each. */
    spanIds: z.array(z.string()),
  }),
  z.object({
    kind: z.literal("approval_answer"),
    id: z.string(),
    decision: z.enum(["allow", "deny", "expired", "void"]),
    reason: z.optional(z.string()),
    /**
     * Of those that nobody gave, message: another one came instead; cancel and failure: the task ended; binding: what was approved is not
     * what would run; peer: the agent that had asked does not wait for it any more.
     */
    by: z.enum(["client", "policy", "clock", "message", "cancel", "failure", "binding", "peer"]),
    /** Id of the message that brought it. */
    messageId: z.optional(z.string()),
  }),
  z.object({
    kind: z.literal("tool_result"),
    toolUseId: z.string(),
    content: z.string(),
    isError: z.boolean(),
    /** It was not run, because somebody or a rule said no. */
    denied: z.optional(z.literal(true)),
    /** What the agents that it asked have used. */
    usage: z.optional(Usage),
  }),
  /** A peer is about to be asked; written first, so that a repetition goes to the same thread under the same message id. */
  z.object({
    kind: z.literal("peer_call"),
    toolUseId: z.string(),
    agent: z.string(),
    ordinal: z.optional(z.int()),
    /** What the tool was run with, where that is not what the model wanted: a hook or a person had changed it. */
    input: z.optional(z.record(z.string(), z.unknown())),
    /** Ordinal of the peer's thread among those this thread opened, from 1. */
    thread: z.int(),
    contextId: z.string(),
    messageId: z.string(),
    message: z.string(),
    /** Of the span of the question, and when it began, in milliseconds since the epoch. */
    spanId: z.string(),
    at: z.number(),
  }),
  /**
   * Something that the loop itself says to the model: a hook's words (batch: of PostToolBatch), why a Stop hook wants more, why an output
   * does not fit, that an answer was empty (empty) or had no room (cut). initial: a hook's words that stand before the message which is the step before, as if they were a person's.
   */
  z.object({
    kind: z.literal("note"),
    about: z.enum(["context", "batch", "initial", "stop", "output", "empty", "cut"]),
    text: z.string(),
  }),
  /** Towards the model, `summary` stands for all steps of the thread but the last `kept` before this one. */
  z.object({
    kind: z.literal("compaction"),
    trigger: z.enum(["auto", "manual"]),
    summary: z.string(),
    kept: z.int().nonnegative(),
    /** What the API's own compaction returned: stands for the summary, word for word. */
    block: z.optional(CompactionBlock),
    origin: Origin,
    tokensBefore: z.number(),
    tokensAfter: z.number(),
    refused: Refused,
    usage: Usage,
    reservation: z.optional(z.string()),
  }),
  /** A compaction that was asked for and made nothing of, though it may have cost something. The conversation stays as it is. */
  z.object({
    kind: z.literal("compaction_failed"),
    trigger: z.enum(["auto", "manual"]),
    /** Who was asked: the API's own compaction, after which the model is, or the model. */
    by: z.enum(["api", "model"]),
    reason: z.string(),
    refused: Refused,
    usage: Usage,
    reservation: z.optional(z.string()),
  }),
  /** A task that a tool call opened at a peer; written before its answer is awaited. */
  z.object({
    kind: z.literal("peer_task"),
    toolUseId: z.string(),
    agent: z.string(),
    ordinal: z.optional(z.int()),
    /** Ordinal of the peer's thread among those this thread opened, from 1. */
    thread: z.int(),
    contextId: z.string(),
    taskId: z.string(),
  }),
  /** Nobody has said anything for long: the next message goes on with a session that had ended. */
  z.object({ kind: z.literal("session_end") }),
  /** Agents that find_agents returned: in a dynamic topology only these may be asked. */
  z.object({ kind: z.literal("found"), agents: z.array(z.string()) }),
]);
export type Step = Readonly<z.infer<typeof Step>>;

/** A call of the agent's own model that has to be paid, and what it used. */
export type ModelCallStep = Extract<Step, { kind: "assistant" | "compaction" | "compaction_failed" }>;

export function isModelCall(step: Step): step is ModelCallStep {
  return step.kind === "assistant" || step.kind === "compaction" || step.kind === "compaction_failed";
}

/** Said of a call that had begun when its isolate died, and may not be run again. */
export const CUT_OFF = "This tool call was cut off before it returned; it may or may not have taken effect.";

export type AssistantStep = Extract<Step, { kind: "assistant" }>;
