// The steps of a thread's log: what happened, in order, append-only. conversation.ts makes the model's conversation of them.
import type { ContentBlock, StopReason } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { CompactionBlock } from "../../models/model.ts";
import { Approval } from "./approval.ts";
import { Usage } from "../../budget/usage.ts";

const Called = z.looseObject({ type: z.literal("tool_use"), id: z.string(), name: z.string() });
const Other = z.looseObject({ type: z.string().refine((type) => type !== "tool_use") });
/** A block as the API sent it. Kept verbatim, because thinking blocks are bound to their conversation; only what the loop reads is checked. */
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

/** A reason that only another backend knows counts as none. */
export const KnownStopReason = z.nullable(z.enum(STOP_REASONS)).catch(null);

/** The backend, and the model's name there: signed and sealed blocks are bound to both. Absent in logs of older versions. */
const Origin = z.optional(z.object({ provider: z.string(), server: z.string(), model: z.string() }));

/** The backend had refused the conversation as too long. That leads to a compaction once a turn. */
const Refused = z.optional(z.literal(true));

/** A Message of A2A, as ProtoJSON. */
const Said = z.record(z.string(), z.unknown());
export type Said = Readonly<z.infer<typeof Said>>;

export const Step = z.discriminatedUnion("kind", [
  /** The words of the person, or of the peer that opened this thread. */
  z.object({
    kind: z.literal("user"),
    text: z.string(),
    /** A command for the agent instead of a message for the model. */
    command: z.optional(z.literal("compact")),
    /** The message itself, where it is more than its text. */
    said: z.optional(Said),
  }),
  /** A question of the agent and the answer to it. The model does not see them: the steps that follow say what they mean. */
  z.object({ kind: z.literal("said"), messages: z.array(Said) }),
  /** The agent's own code asks whoever sent the message. */
  z.object({
    kind: z.literal("question"),
    message: Said,
    /** Milliseconds since the epoch. */
    expiresAt: z.number(),
  }),
  /** The `said` step before this one holds the answer, unless the question expired. */
  z.object({ kind: z.literal("question_answer"), expired: z.optional(z.literal(true)) }),
  /** An Artifact of A2A, as ProtoJSON. Replaces an earlier one of the task with the same id. */
  z.object({ kind: z.literal("artifact"), artifact: Said }),
  /** A hook refused the message before this step. The model never sees that message. */
  z.object({ kind: z.literal("blocked"), reason: z.string() }),
  /** A hook ended the turn. */
  z.object({ kind: z.literal("stopped"), reason: z.string() }),
  /** The whole answer of one model call. */
  z.object({
    kind: z.literal("assistant"),
    content: z.array(Block),
    stopReason: z.nullable(z.enum(STOP_REASONS)),
    usage: Usage,
    /** The name that the model gives itself. */
    model: z.string(),
    origin: Origin,
    /** Raw text of tool inputs that were not JSON, by tool_use id. */
    malformedInputs: z.record(z.string(), z.string()),
    /** The call's reservation at the query's account. */
    reservation: z.optional(z.string()),
  }),
  /** A model call broke off, in this life or an earlier one. Its cost is unknown, so all that it could have cost counts. In tokens. */
  z.object({
    kind: z.literal("model_cut"),
    inputTokens: z.int(),
    maxTokens: z.int(),
    webSearches: z.optional(z.int()),
  }),
  /** A tool that may not run twice is about to run. */
  z.object({ kind: z.literal("tool_start"), toolUseId: z.string() }),
  /** A tool may run only if this is allowed. */
  z.object({
    kind: z.literal("approval"),
    toolUseId: z.string(),
    approval: Approval,
    /** Milliseconds since the epoch. */
    askedAt: z.number(),
    /** The span that lasts until the answer. */
    spanId: z.string(),
  }),
  /** A peer that a tool call asked waits for these approvals. */
  z.object({
    kind: z.literal("peer_input"),
    toolUseId: z.string(),
    agent: z.string(),
    /** The question's place among those of its call; left out for the first. */
    ordinal: z.optional(z.int()),
    taskId: z.string(),
    approvals: z.array(Approval),
    /** Milliseconds since the epoch. */
    askedAt: z.number(),
    /** The spans that last until the answers, one an approval. */
    spanIds: z.array(z.string()),
  }),
  z.object({
    kind: z.literal("approval_answer"),
    id: z.string(),
    decision: z.enum(["allow", "deny", "expired", "void"]),
    reason: z.optional(z.string()),
    /**
     * Answers that nobody gave: message (another message came instead), cancel and failure (the task ended), binding (the approved call
     * is not the one that would run), peer (the agent that asked no longer waits).
     */
    by: z.enum(["client", "policy", "clock", "message", "cancel", "failure", "binding", "peer"]),
    /** The message that brought the answer. */
    messageId: z.optional(z.string()),
  }),
  z.object({
    kind: z.literal("tool_result"),
    toolUseId: z.string(),
    content: z.string(),
    isError: z.boolean(),
    /** A person, a hook or a rule denied the call, so it was not run. */
    denied: z.optional(z.literal(true)),
    /** Used by the agents that the call asked. */
    usage: z.optional(Usage),
  }),
  /** A peer is about to be asked. Written first, so that a retry goes to the same thread under the same message id. */
  z.object({
    kind: z.literal("peer_call"),
    toolUseId: z.string(),
    agent: z.string(),
    ordinal: z.optional(z.int()),
    /** The tool's input, where a hook or a person had changed the model's. */
    input: z.optional(z.record(z.string(), z.unknown())),
    /** The peer's thread: its place among those that this thread opened, from 1. */
    thread: z.int(),
    contextId: z.string(),
    messageId: z.string(),
    message: z.string(),
    /** The message answers what this task of the peer had asked back. */
    taskId: z.optional(z.string()),
    /** The span of the question, and its start in milliseconds since the epoch. */
    spanId: z.string(),
    at: z.number(),
  }),
  /**
   * Words of the loop itself to the model. context: a hook's; batch: a PostToolBatch hook's; stop: why a Stop hook wants more; output:
   * why an output does not fit; empty, cut: the answer was empty, or had no room. initial: a SessionStart hook's words, which the model
   * sees as the person's, before the message.
   */
  z.object({
    kind: z.literal("note"),
    about: z.enum(["context", "batch", "initial", "stop", "output", "empty", "cut"]),
    text: z.string(),
  }),
  /** For the model, `summary` replaces all steps of the thread but the last `kept` before this one. */
  z.object({
    kind: z.literal("compaction"),
    trigger: z.enum(["auto", "manual"]),
    summary: z.string(),
    kept: z.int().nonnegative(),
    /** The block of the API's own compaction, verbatim: it replaces the summary. */
    block: z.optional(CompactionBlock),
    origin: Origin,
    tokensBefore: z.number(),
    tokensAfter: z.number(),
    refused: Refused,
    usage: Usage,
    reservation: z.optional(z.string()),
  }),
  /** A compaction failed, and may have cost something. The conversation stays as it is. */
  z.object({
    kind: z.literal("compaction_failed"),
    trigger: z.enum(["auto", "manual"]),
    /** What failed: the API's own compaction, after which the model is asked, or the model. */
    by: z.enum(["api", "model"]),
    reason: z.string(),
    refused: Refused,
    usage: Usage,
    reservation: z.optional(z.string()),
  }),
  /**
   * A tool call has opened a task at a peer. Written before the answer is awaited. An agent of others may choose the ids of both; its task
   * is empty where it answered with a bare message.
   */
  z.object({
    kind: z.literal("peer_task"),
    toolUseId: z.string(),
    agent: z.string(),
    ordinal: z.optional(z.int()),
    /** Ordinal of the peer's thread among those this thread opened, from 1. */
    thread: z.int(),
    contextId: z.string(),
    taskId: z.string(),
    /** The task waits for the next message of the thread. */
    asksBack: z.optional(z.literal(true)),
  }),
  /** The session ended, because nobody said anything for long. The next message resumes it. */
  z.object({ kind: z.literal("session_end") }),
  /** Agents that find_agents returned. In a dynamic topology only these may be asked. */
  z.object({ kind: z.literal("found"), agents: z.array(z.string()) }),
]);
export type Step = Readonly<z.infer<typeof Step>>;
export type AssistantStep = Extract<Step, { kind: "assistant" }>;
export type CompactionStep = Extract<Step, { kind: "compaction" }>;

/** A paid call of the agent's own model. */
export type ModelCallStep = Extract<Step, { kind: "assistant" | "compaction" | "compaction_failed" }>;

export function isModelCall(step: Step): step is ModelCallStep {
  return step.kind === "assistant" || step.kind === "compaction" || step.kind === "compaction_failed";
}

/** Tells the model of a call that had begun when its isolate died, and may not run again. */
export const CUT_OFF = "This tool call was cut off before it returned; it may or may not have taken effect.";

/** The text blocks of an answer, joined. */
export function answerText({ content }: AssistantStep): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}
