// A conversation in the terminal: one session, one question a line.
import { createInterface } from "node:readline/promises";

import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { manyLines } from "../terminal-text.ts";
import { promptOn } from "./decide.ts";
import { type Asked, askAndPrint } from "./print.ts";

interface Chat {
  readonly asked: Asked;
  /** Id of the agent that is talked to. */
  readonly agent: string;
  readonly session: string | undefined;
}

/** Asks until an empty line, Ctrl-D or Ctrl-C. A failed answer is shown and the conversation goes on. */
export async function chat({ asked, agent, session }: Chat, io: Io): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const prompt = promptOn(lines);
  let current = session;
  io.note(`You are talking to ${agent}. An empty line ends it.`);
  lines.on("SIGINT", () => process.emit("SIGINT"));
  try {
    for (;;) {
      const text = (await prompt("\n> ", io.signal))?.trim() ?? "";
      io.signal.throwIfAborted();
      if (text === "") return;
      try {
        const answer = await askAndPrint({ ...asked, text, session: current }, io, prompt);
        current = answer.contextId;
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== "failed") throw error;
        io.note(manyLines(error.message));
      }
    }
  } finally {
    lines.close();
    if (current !== undefined) io.note(`To go on later: --session ${current}`);
  }
}
