// Reads the conversation from the request, as turns of a question and its calls.
import { noteIn } from "#shared/loop/log/note.ts";
import { blocksOf, isText, isToolResult, isToolUse, type InputMessage, type MessagesRequest } from "../api/request.ts";

export interface Call {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly result: string;
  readonly isError: boolean;
}

export interface Exchange {
  /** What the user wrote. */
  readonly question: string;
  readonly calls: readonly Call[];
  /** Number of assistant messages with tool calls. */
  readonly rounds: number;
  /** The assistant's text so far. */
  readonly answer: string;
}

export interface Transcript {
  readonly earlier: readonly Exchange[];
  readonly current: Exchange;
  /** The asking agent; null for a person. */
  readonly askedBy: string | null;
}

/** Characters read of a message or a result: rules that read more would keep the requests of other agents waiting. */
const MOST_READ = 100_000;
/** A note below an agent's answer, which some runtimes add. */
const THREAD_NOTE = /^\(thread \d+\)$/;
const ASKED_BY = /^You were asked by the agent "([^"]+)"\.$/m;

export function readTranscript(request: Pick<MessagesRequest, "messages" | "system">): Transcript {
  const turns: Exchange[] = [];
  let start = 0;
  const messages = request.messages.flatMap(withoutNotes);
  messages.forEach((message, index) => {
    if (index > 0 && beginsTurn(message)) {
      turns.push(readTurn(messages.slice(start, index)));
      start = index;
    }
  });
  const notes = request.messages.flatMap(blocksOf).map((block) => (isText(block) ? (noteIn(block.text) ?? "") : ""));
  const system =
    typeof request.system === "string" ? request.system : (request.system ?? []).map(({ text }) => text).join("\n");
  return {
    earlier: [...notes.flatMap(turnsIn), ...turns],
    current: readTurn(messages.slice(start)),
    askedBy: ASKED_BY.exec(system)?.[1] ?? null,
  };
}

/** Removes notes, and splits tool results from what a person said after them. */
function withoutNotes(message: InputMessage): InputMessage[] {
  if (message.role !== "user" || typeof message.content === "string") return [message];
  const blocks = message.content.filter((block) => !isText(block) || noteIn(block.text) === undefined);
  const results = blocks.filter(isToolResult);
  const others = blocks.filter((block) => !isToolResult(block));
  return [results, others].filter((content) => content.length > 0).map((content) => ({ role: "user", content }));
}

/** The turns in a summary that summarise.ts wrote. */
function turnsIn(note: string): Exchange[] {
  const turns: Exchange[] = [];
  for (const [, label, text = ""] of note.matchAll(/^(Asked|Answered): (.+)$/gm)) {
    if (label === "Asked") turns.push({ question: text, calls: [], rounds: 0, answer: "" });
    const last = turns.pop();
    if (last) turns.push(label === "Answered" ? { ...last, answer: text } : last);
  }
  return turns;
}

/** A user message without tool results starts a turn. */
function beginsTurn(message: InputMessage): boolean {
  return message.role === "user" && !blocksOf(message).some(isToolResult);
}

function readTurn(messages: readonly InputMessage[]): Exchange {
  const [first, ...rest] = messages;
  const results = new Map(
    rest
      .flatMap(blocksOf)
      .filter(isToolResult)
      .map((block) => [block.tool_use_id, block]),
  );
  const replies = rest.filter(({ role }) => role === "assistant").map(blocksOf);
  const calls = replies
    .flat()
    .filter(isToolUse)
    .map((use): Call => {
      const block = results.get(use.id);
      const content = block?.content ?? "";
      const text = typeof content === "string" ? content : content.map((part) => part.text ?? "").join("\n");
      return {
        name: use.name,
        input: use.input,
        result: withoutThreadNote(text.slice(0, MOST_READ).toWellFormed()),
        isError: block?.is_error ?? false,
      };
    });
  return {
    question: first === undefined ? "" : messageText(first),
    calls,
    rounds: replies.filter((blocks) => blocks.some(isToolUse)).length,
    answer: replies
      .flat()
      .filter(isText)
      .map(({ text }) => text)
      .join("\n")
      .trim(),
  };
}

function withoutThreadNote(result: string): string {
  const trimmed = result.trimEnd();
  const begin = trimmed.lastIndexOf("(");
  return begin >= 0 && THREAD_NOTE.test(trimmed.slice(begin)) ? trimmed.slice(0, begin).trimEnd() : result;
}

function messageText(message: InputMessage): string {
  return blocksOf(message)
    .filter(isText)
    .map(({ text }) => text)
    .join("\n")
    .trim()
    .slice(0, MOST_READ)
    .toWellFormed();
}
