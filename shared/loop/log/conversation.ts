// The conversation that a model gets of a log, from the last compaction on.
import type {
  ContentBlockParam,
  MessageParam,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages/messages";
import type { CompactionBlock } from "../../models/model.ts";
import { asNote } from "./note.ts";
import { isFrom, sendable, type Backend } from "./sendable.ts";
import { CUT_OFF, type CompactionStep, type Step } from "./step.ts";

export interface Conversation {
  readonly messages: MessageParam[];
  /** The API's own block for what was compacted before the messages. */
  readonly compacted?: CompactionBlock;
}

/**
 * The conversation of a log, in the form that `model` takes. A summary replaces what was compacted; where the API compacts itself,
 * its block does.
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

/** Thinking is bound to what stood before it. After a summary of ours the API would refuse it. */
function withoutThinking(step: Step): Step {
  if (step.kind !== "assistant") return step;
  return { ...step, content: step.content.filter((block) => !isThinking(block)) };
}

export function isThinking({ type }: { readonly type: string }): boolean {
  return type === "thinking" || type === "redacted_thinking";
}

/** False for a message that the model never sees: a command, or a refused message. */
export function isSaid(steps: readonly (Step | undefined)[], index: number): boolean {
  const step = steps[index];
  return step?.kind !== "user" || (!step.command && steps[index + 1]?.kind !== "blocked");
}

/**
 * The messages of steps, in the form that `asked` takes. Every `tool_use` gets exactly one `tool_result`; for a call without a result
 * it says that the call was cut off. Messages before the last `user` step are the same objects each time.
 */
export function transcript(steps: readonly Step[], asked?: Backend): MessageParam[] {
  const begin = Math.max(
    0,
    steps.findLastIndex(({ kind }) => kind === "user"),
  );
  const { messages, usedIds } = beginningOf(steps, begin, asked);
  const whole = { messages: [...messages], usedIds: new Set(usedIds) };
  add(whole, steps, begin, steps.length, asked);
  return whole.messages;
}

interface Messages {
  readonly messages: MessageParam[];
  /** Ids of the calls among them. */
  readonly usedIds: Set<string>;
}

/** The messages of the steps before a `user` step. No such step changes what is made of those before it. */
interface Beginning extends Messages {
  readonly first: Step | undefined;
  readonly length: number;
  readonly asked: Backend | undefined;
}

/** By the `user` step that follows: a log only grows, so the next turn needs what this one had, and a little more. */
const beginnings = new WeakMap<Step, Beginning>();

function beginningOf(steps: readonly Step[], length: number, asked: Backend | undefined): Messages {
  const key = steps[length];
  for (let at = length; at > 0; at--) {
    const step = steps[at];
    const known = step?.kind === "user" ? beginnings.get(step) : undefined;
    // Steps of the same log: after a compaction the first is another.
    if (!step || !known || known.first !== steps[0] || known.length !== at || !isSame(known.asked, asked)) continue;
    if (at === length) return known;
    beginnings.delete(step);
    add(known, steps, at, length, asked);
    if (key) beginnings.set(key, { ...known, length });
    return known;
  }
  const made = { first: steps[0], length, asked, messages: [], usedIds: new Set<string>() };
  add(made, steps, 0, length, asked);
  if (key) beginnings.set(key, made);
  return made;
}

function isSame(a: Backend | undefined, b: Backend | undefined): boolean {
  if (a === b) return true;
  return (
    a?.provider === b?.provider &&
    a?.name === b?.name &&
    a?.server.address === b?.server.address &&
    a?.server.port === b?.server.port
  );
}

/** Adds the messages of the steps from `from` to before `to`. */
function add(
  { messages, usedIds }: Messages,
  steps: readonly Step[],
  from: number,
  to: number,
  asked: Backend | undefined,
): void {
  for (let index = from; index < to; index++) {
    const step = steps[index];
    if (!step) continue;
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
}

function isInitial(step: Step | undefined): step is Extract<Step, { kind: "note" }> & { about: "initial" } {
  return step?.kind === "note" && step.about === "initial";
}

/**
 * What a model still sees of a log: the message that is being answered, the steps since the compaction with those that it kept, and
 * the compaction itself.
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
  /** How many of the steps were written before the compaction. */
  readonly earlier: number;
}

const SUMMARY_FOLLOWS = "The conversation so far was shortened. This is a summary of its earlier part:";

/** The API refuses text that is only white space, although hooks may say it. */
function texts(text: string): ContentBlockParam[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

/** Results of the assistant step at `index`, up to the next one: some backends use an id twice in a thread. */
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

/** Adds to the last message where the role is the same, because the API wants roles to alternate. No message is changed: others have it. */
function say(messages: MessageParam[], role: "user" | "assistant", content: readonly ContentBlockParam[]): void {
  if (content.length === 0) return;
  const last = messages.at(-1);
  if (last?.role === role && Array.isArray(last.content))
    messages[messages.length - 1] = { role, content: [...last.content, ...content] };
  else messages.push({ role, content: [...content] });
}
