// A conversation in the terminal: one session, one question a line.
import { createInterface } from "node:readline/promises";

import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { manyLines } from "../terminal-text.ts";
import { askAndPrint } from "./print.ts";

interface Chat {
  readonly job: string;
  readonly url: string;
  readonly agent: string;
  readonly session: string | undefined;
  readonly timeoutMs: number;
  /** Draws the trace of each answer below it. */
  readonly trace: boolean;
}

/** Asks until an empty line, Ctrl-D or Ctrl-C. A failed answer is shown and the conversation goes on. */
export async function chat({ job, url, agent, session, timeoutMs, trace }: Chat, io: Io): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  let current = session;
  io.note(`You are talking to ${agent}. An empty line ends it.`);
  lines.on("SIGINT", () => process.emit("SIGINT"));
  try {
    for (;;) {
      const text = (await lines.question("\n> ", { signal: io.signal })).trim();
      if (text === "") return;
      try {
        const answer = await askAndPrint({ job, url, text, session: current, timeoutMs, trace }, io);
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
