// A conversation in the terminal: one session, one message after the other.
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { Io } from "../terminal/io.ts";
import { manyLines } from "../terminal/terminal-text.ts";
import { promptOn } from "./ask-for-decisions.ts";
import { Keyboard } from "./keyboard.ts";
import { type AskOptions, askAndPrint } from "./print.ts";

interface Chat {
  readonly asked: AskOptions;
  /** Id of the agent. */
  readonly agent: string;
  readonly session: string | undefined;
}

const HELP = `/help   prints this
/quit   ends the conversation, as do an empty line and Ctrl-D
Everything else goes to the agent. One line is one message; pasted text is one message with all its lines.
Text that you type while the agent works is sent after its answer.`;

/** Asks until an empty line, /quit, Ctrl-D or Ctrl-C. A failed answer is shown and does not end the conversation. */
export async function chat({ asked, agent, session }: Chat, io: Io): Promise<void> {
  using keyboard = new Keyboard();
  let current = session;
  io.note(`You are talking to ${agent}. An empty line ends the conversation; /help says more.`);
  try {
    for (;;) {
      const text = (await keyboard.message("\n> ", io.signal))?.trim() ?? "";
      io.signal.throwIfAborted();
      if (text === "" || text === "/quit") return;
      const reply = ownReply(text);
      if (reply !== undefined) {
        io.note(reply);
        continue;
      }
      try {
        const answer = await askAndPrint({ ...asked, text, session: current }, io, promptOn(keyboard));
        current = answer.contextId;
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== "failed") throw error;
        io.note(manyLines(error.message));
      }
    }
  } finally {
    const { left } = keyboard;
    if (left.length > 0) io.note(`Not sent:\n${manyLines(left.join("\n"))}`);
    if (current !== undefined) io.note(`Resume it later: ${troupe`query ${asked.job} --session ${current}`}`);
  }
}

/** The reply to a line that begins with a slash; undefined for a message to the agent. */
function ownReply(text: string): string | undefined {
  if (text === "/help") return HELP;
  if (/^\/[a-z]{1,20}$/.test(text)) return `There is no ${text} here. ${suggest(text, ["/help", "/quit"])}`;
  return undefined;
}
