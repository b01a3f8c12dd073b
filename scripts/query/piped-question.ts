// The question that comes on stdin: `echo hello | troupe query job`. It ends where the pipe ends.
import { addAbortSignal, type Readable } from "node:stream";

import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { type Io, step } from "../terminal/io.ts";

/** An agent takes messages of 1 MB, as JSON. */
const MAX_KB = 512;

/** Throws CliError where nothing comes, too much, or what is no text; at an interruption its reason. */
export async function pipedQuestion(
  input: Readable & { readonly isTTY?: boolean },
  job: string,
  io: Io,
): Promise<string> {
  // Nobody types it here who did not say so with "-".
  const label = input.isTTY ? "Type the question; Ctrl-D ends it" : "Reading the question from stdin, up to its end";
  const bytes = await step(io, label, async () => read(input, io.signal));
  const text = decodeUtf8(bytes).trimEnd();
  if (text.trim() !== "") return text;
  throw new CliError("bad_input", "There is no question: stdin is empty.", `Type: ${troupe`query ${job} "…"`}`);
}

async function read(input: Readable, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const pieces: AsyncIterable<Buffer> = addAbortSignal(signal, input);
  try {
    for await (const bytes of pieces) {
      size += bytes.length;
      if (size > MAX_KB * 1024) break;
      chunks.push(bytes);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new CliError("bad_input", `The question cannot be read from stdin: ${reasonOf(error)}`);
  }
  if (size <= MAX_KB * 1024) return Buffer.concat(chunks);
  throw new CliError("bad_input", `The question has more than ${MAX_KB} KB.`, "Ask about a part of it.");
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CliError("bad_input", "What comes on stdin is not UTF-8 text.", "Turn it into UTF-8 text first.");
  }
}
