// What a model is told of a log: the transcript is a fold over its steps, from the last compaction on.
import type {
  ContentBlockParam,
  MessageParam,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages/messages";
import type { CompactionBlock } from "../../models/model.ts";
import { asNote } from "./note.ts";
import { isFrom, sendable, type Backend } from "./sendable.ts";
import { CUT_OFF, type Step } from "./step.ts";

/** What the model is told of a log. */
export interface Conversation {
  readonly messages: MessageParam[];
  /** The API's own block for what was compacted before them. */
  readonly compacted?: CompactionBlock;
}

/**
 * The conversation of a log, as `model` takes it. What was compacted is left out: its summary stands for it, as a block where the API
 * makes such itself.
 */
export function conversationOf(
  log: readonly Step[],
  model: Partial<Backend> & { readonly compact?: unknown },
): Conversation {
  const { steps, compaction, earlier } = afterCompaction(log);
  const { provider, name, server } = model;
  const asked = provider !== undefined && name !== undefined && server ? { provider, name, server } : undefined;
  if (!compaction) return { messages: transcript(steps, asked) };
  if (compaction.block && model.compact && (!asked || isFrom(compaction, asked)))
    return { messages: transcript(steps, asked), compacted: compaction.block };
  const summary: Step = { kind: "note", about: "context", text: `${SUMMARY_FOLLOWS}\n\n${compaction.summary}` };
  const kept = steps.map((step, index) => (index < earlier ? withoutThinking(step) : step));
  return { messages: transcript([summary, ...kept], asked) };
}

/** What the model thought is bound to what stood before it: where a summary of ours stands there now, the API would refuse it. */
function withoutThinking(step: Step): Step {
  if (step.kind !== "assistant") return step;
  return { ...step, content: step.content.filter((block) => !isThinking(block)) };
}

/** Whether a block says what the model thought. */
export function isThinking({ type }: { readonly type: string }): boolean {
  return type === "thinking" || type === "redacted_thinking";
}

/** False for a message that the model never sees: a command, or one that was refused. */
export function isSaid(steps: readonly (Step | undefined)[], index: number): boolean {
  const step = steps[index];
  return step?.kind !== "user" || (!step.command && steps[index + 1]?.kind !== "blocked");
}

/**
 * The messages of steps, as `asked` takes them. Every `tool_use` gets exactly one `tool_result`; one that never settled is said to be
 * cut off.
 */
export function transcript(steps: readonly Step[], asked?: Backend): MessageParam[] {
  const messages: MessageParam[] = [];
  const usedIds = new Set<string>();
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    const isNew = step.kind === "user" && isSaid(steps, index);
    if (isNew && isInitial(next)) say(messages, "user", texts(next.text));
    if (isNew) say(messages, "user", texts(step.text));
    const isBefore = isInitial(step) && steps[index - 1]?.kind === "user";
    if (step.kind === "note" && !isBefore) say(messages, "user", texts(asNote(step.text)));
    if (step.kind !== "assistant") continue;
    const { content, calls } = sendable(step, asked, usedIds);
    if (content.length === 0) continue;
    say(messages, "assistant", content);
    const results = resultsOf(steps, index);
    const answers = calls.map(({ stored, sent }): ToolResultBlockParam => {
      const result = results.get(stored) ?? { type: "tool_result", content: CUT_OFF, is_error: true };
      return { ...result, tool_use_id: sent };
    });
    if (answers.length > 0) say(messages, "user", answers);
  }
  return messages;
}

function isInitial(step: Step | undefined): step is Extract<Step, { kind: "note" }> & { about: "initial" } {
  return step?.kind === "note" && step.about === "initial";
}

type CompactionStep = Extract<Step, { kind: "compaction" }>;

/**
 * What a model still sees of a log: the message that is being answered, the steps that were kept or came later, and what stands for
 * the others.
 */
export function afterCompaction(log: readonly Step[]): Remaining {
  const at = log.findLastIndex(({ kind }) => kind === "compaction");
  const compaction = log[at];
  if (compaction?.kind !== "compaction") return { steps: log, earlier: 0 };
  const cut = Math.max(0, at - compaction.kept);
  const asked = log.slice(0, cut).findLast((step) => step.kind === "user" && !step.command);
  const isKept = log.slice(cut, at).some((step) => step.kind === "user");
  const kept = [...(asked && !isKept ? [asked] : []), ...log.slice(cut, at)];
  return { steps: [...kept, ...log.slice(at + 1)], compaction, earlier: kept.length };
}

interface Remaining {
  readonly steps: readonly Step[];
  readonly compaction?: CompactionStep;
  /** How many of the steps are from before the compaction. */
  readonly earlier: number;
}

const SUMMARY_FOLLOWS = "The conversation so far was shortened. This is a summary of its earlier part:";

/** The API takes no text that is only white space, although hooks may say such. */
function texts(text: string): ContentBlockParam[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

/** The results of the assistant step at `index`: those before the next one, because not every backend's ids are unique in a thread. */
function resultsOf(steps: readonly Step[], index: number): Map<string, Omit<ToolResultBlockParam, "tool_use_id">> {
  const results = new Map<string, Omit<ToolResultBlockParam, "tool_use_id">>();
  for (let next = index + 1; next < steps.length; next++) {
    const step = steps[next];
    if (!step || step.kind === "assistant" || step.kind === "user") break;
    if (step.kind !== "tool_result") continue;
    results.set(step.toolUseId, {
      type: "tool_result",
      content: step.content,
      ...(step.isError ? { is_error: true } : {}),
    });
  }
  return results;
}

/** Appends to the last message where the role is the same: the API wants roles to alternate. */
function say(messages: MessageParam[], role: "user" | "assistant", content: readonly ContentBlockParam[]): void {
  if (content.length === 0) return;
  const last = messages.at(-1);
  if (last?.role === role && Array.isArray(last.content)) last.content.push(...content);
  else messages.push({ role, content: [...content] });
}
