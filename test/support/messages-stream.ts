// The events of one streamed answer of the Messages API, made of the pieces that a script says one after another.

/** A piece of an answer: some words, one whole tool call, or how many tokens it has cost. */
export type Piece =
  | { readonly text: string }
  | { readonly outputTokens: number }
  | { readonly tool: string; readonly input: Readonly<Record<string, unknown>> };

/** Tokens that a scripted answer claims to have cost where it says nothing else. */
const INPUT_TOKENS = 10;
const OUTPUT_TOKENS = 5;

interface StreamEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Words that follow words stand in one block; each tool call is a block of its own. */
export async function* answerEvents(
  model: string,
  id: string,
  pieces: Iterable<Piece> | AsyncIterable<Piece>,
): AsyncGenerator<StreamEvent, void, undefined> {
  const usage = { input_tokens: INPUT_TOKENS, output_tokens: 1 };
  const message = {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  yield { type: "message_start", message: { ...message, usage } };
  let index = -1;
  let inText = false;
  let stopReason = "end_turn";
  let outputTokens = OUTPUT_TOKENS;
  for await (const piece of pieces) {
    if ("outputTokens" in piece) {
      ({ outputTokens } = piece);
      continue;
    }
    if ("text" in piece && inText) {
      yield delta(index, { type: "text_delta", text: piece.text });
      continue;
    }
    if (index >= 0) yield { type: "content_block_stop", index };
    index += 1;
    inText = "text" in piece;
    if ("text" in piece) {
      yield { type: "content_block_start", index, content_block: { type: "text", text: "" } };
      yield delta(index, { type: "text_delta", text: piece.text });
    } else {
      stopReason = "tool_use";
      const block = { type: "tool_use", id: `toolu_${id}_${index}`, name: piece.tool, input: {} };
      yield { type: "content_block_start", index, content_block: block };
      yield delta(index, { type: "input_json_delta", partial_json: JSON.stringify(piece.input) });
    }
  }
  if (index >= 0) yield { type: "content_block_stop", index };
  const end = { stop_reason: stopReason, stop_sequence: null };
  yield { type: "message_delta", delta: end, usage: { output_tokens: outputTokens } };
  yield { type: "message_stop" };
}

function delta(index: number, content: object): StreamEvent {
  return { type: "content_block_delta", index, delta: content };
}
