// A conversation in the terminal: reads messages and commands, one after the other, until the person leaves.
import { join } from "node:path";

import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { paints, screenOf } from "../../terminal/screen.ts";
import { cutTo, manyLines, oneLine } from "../../terminal/terminal-text.ts";
import { History } from "../../terminal/typing/history.ts";
import { Keyboard } from "../../terminal/typing/keyboard.ts";
import { when } from "../../traces/amounts.ts";
import { promptOn } from "../ask-for-decisions.ts";
import { goodbye, runCommand, wordsFor } from "./commands.ts";
import { Conversation, lastWith, type Start } from "./conversation.ts";
import { chatFolder } from "./last-session.ts";

/** Lines of the last answer that are shown when a conversation goes on. */
const MOST_RECALLED = 8;

export interface ChatStart extends Start {
  /** Begin a new session where none is named. */
  readonly anew: boolean;
}

/** Runs until /quit, Ctrl-D or the second Ctrl-C. */
export async function chat(start: ChatStart, io: Io): Promise<void> {
  const leaving = new AbortController();
  let conversation: Conversation;
  let wantsToLeave = false;
  const onInterrupt = (): void => {
    if (conversation.isRunning) {
      // Who cancels wants to think again.
      keyboard.takeBack();
      if (!conversation.interrupt()) process.emit("SIGINT");
      return;
    }
    if (keyboard.drop()) return;
    if (wantsToLeave) leaving.abort();
    else io.note("Ctrl-C again leaves, as does Ctrl-D.");
    wantsToLeave = true;
  };
  const complete = (before: string) => wordsFor(conversation, before);
  const history = new History(join(chatFolder(), "history"));
  using keyboard = new Keyboard(process.stdin, process.stderr, { live: io.live, history, complete, onInterrupt });
  conversation = new Conversation(start, promptOn(keyboard), io);
  try {
    await begin(conversation, start);
    for (;;) {
      const line = await keyboard.message("\n> ", AbortSignal.any([io.signal, leaving.signal]));
      io.signal.throwIfAborted();
      if (line === undefined) return;
      wantsToLeave = false;
      if (line.trim() !== "" && (await say(conversation, line)) === "quit") return;
    }
  } finally {
    const { left } = keyboard;
    if (left.length > 0) io.note(`Not sent:\n${manyLines(left.join("\n"))}`);
    const bye = goodbye(conversation);
    if (bye !== undefined) io.note(bye);
  }
}

async function say(conversation: Conversation, line: string): Promise<"quit" | undefined> {
  try {
    const done = await runCommand(conversation, line);
    if (done === undefined) await conversation.ask(line.trim());
    return done === "quit" ? "quit" : undefined;
  } catch (error) {
    if (!(error instanceof CliError) || error.code === "interrupted" || error.code === "input_required") throw error;
    conversation.io.note(manyLines([error.message, error.next].filter((text) => text !== "").join("\n")));
    return undefined;
  }
}

/** Says who is there. Goes on with the session that was named, or left last. */
async function begin(conversation: Conversation, { session, anew }: ChatStart): Promise<void> {
  const { io, with: agent } = conversation;
  const last = session === undefined && !anew ? lastWith(agent) : undefined;
  const wanted = session ?? last?.session;
  io.note(`You are talking to ${oneLine(agent.name)}.\n/help lists the commands, Ctrl-D leaves.`);
  if (wanted === undefined) return;
  const isKnown = await conversation.resume(wanted);
  if (!isKnown) return session === undefined ? undefined : unknown(agent.name, session);
  const ago = last === undefined ? "" : ` of ${when(Date.parse(last.at), Date.now())}`;
  io.note(`The session${ago} goes on; /clear begins a new one.`);
  if (!(await conversation.catchUp(wanted))) recall(conversation);
}

function unknown(name: string, session: string): never {
  throw new CliError(
    "bad_input",
    `${name} knows no session "${session}".`,
    "Leave --session out to go on with the last one, or begin a new one with --new.",
  );
}

/** Shows the last question and the beginning of its answer. */
function recall({ io, said }: Conversation): void {
  const last = said.at(-1);
  if (last === undefined) return;
  const { dim } = paints(screenOf(process.stderr));
  const columns = screenOf(process.stderr).columns - 1;
  const lines = manyLines(last.answer).trim().split("\n");
  const more = lines.length - MOST_RECALLED;
  const shown = [...lines.slice(0, MOST_RECALLED), ...(more > 0 ? [`… ${more} more lines`] : [])];
  const question = `> ${oneLine(last.question.split("\n", 1)[0] ?? "")}`;
  io.note(`\n${[question, ...shown].map((line) => dim(cutTo(line, columns))).join("\n")}`);
}
