// A question on stdin: `echo hello | troupe query job`. It ends with the pipe.
import { addAbortSignal, type Readable } from "node:stream";

import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import { type Io, noteIfSlow } from "../../terminal/io.ts";

/** An agent takes messages of 1 MB, as JSON. */
const MAX_KB = 512;

/** Throws CliError for an empty or too long question and for text that is not UTF-8; the signal's reason when it aborts. */
export async function pipedQuestion(
  input: Readable & { readonly isTTY?: boolean },
  named: string,
  io: Io,
): Promise<string> {
  // A person types the question here only after `-`.
  const label = input.isTTY ? "Type the question; Ctrl-D ends it" : "Reading the question from stdin until it ends";
  const bytes = await noteIfSlow(io, label, async () => read(input, io.signal));
  const text = decodeUtf8(bytes).trimEnd();
  if (text.trim() !== "") return text;
  throw new CliError("bad_input", "There is no question: stdin is empty.", `Type: ${troupe`query ${named} "…"`}`);
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
    throw new CliError("bad_input", "The text on stdin is not UTF-8.", "Convert it to UTF-8 first.");
  }
}
