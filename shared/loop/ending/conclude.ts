// What an answer without tool calls means for its turn: the end, or another round because a hook or the output schema wants it.
import { ERROR } from "../../tracing/names.ts";
import { compactRefused, wasRefused } from "../compaction/compact.ts";
import { frameOf } from "../model-call/request.ts";
import { answerText, type AssistantStep, type Step } from "../log/step.ts";
import { parseOutput, type OutputShape } from "./output-shape.ts";
import type { Turn, Conclusion } from "../turn.ts";

const EMPTY = "empty_answer";
const OUT_OF_ROOM = "model_context_window_exceeded";
const SAY_SOMETHING = "Your last answer was empty. Answer now, in words, with what you have.";
const SAY_IT_AGAIN =
  "Your last answer broke off because the context was full. The conversation has been made shorter: answer again, whole.";

/** How often an output that does not fit is sent back to the model. */
const MAX_OUTPUT_RETRIES = 3;

/** How the turn ends; undefined where it continues, for a reason that is in the log. */
export async function conclude(
  turn: Turn,
  answer: AssistantStep,
  signal: AbortSignal,
): Promise<Conclusion | undefined> {
  const own = turn.log.own();
  const words = said(own);
  const concluded = meaningOf(answer, words);
  if (concluded.subtype !== "success") return failedOrAskedAgain(turn, concluded, own, signal);
  const fitting = turn.output ? await structured(turn, turn.output, { ...concluded, text: words }, own) : concluded;
  if (fitting?.subtype !== "success") return fitting;
  const stopped = await turn.hook(
    {
      hook_event_name: "Stop",
      stop_hook_active: own.some(isAbout("stop")),
      last_assistant_message: fitting.text,
    },
    signal,
  );
  const why = joined(stopped.block, stopped.additionalContext);
  if (stopped.stop !== undefined || why === "") return fitting;
  turn.log.append({ kind: "note", about: "stop", text: why });
  return undefined;
}

/** Asks once more, once a turn, after an answer that was empty or had no room in the context. The log says so first, for later lives. */
async function failedOrAskedAgain(
  turn: Turn,
  failed: Failure,
  own: readonly Step[],
  signal: AbortSignal,
): Promise<Conclusion | undefined> {
  if (failed.errorType === EMPTY && !own.some(isAbout("empty"))) {
    turn.log.append({ kind: "note", about: "empty", text: SAY_SOMETHING });
    return undefined;
  }
  if (failed.errorType !== OUT_OF_ROOM || wasRefused(turn)) return failed;
  turn.log.append({ kind: "note", about: "cut", text: SAY_IT_AGAIN });
  const why = await compactRefused(turn, frameOf(turn), signal);
  return why === undefined ? undefined : { ...failed, message: `${failed.message} ${why}` };
}

function isAbout(about: Extract<Step, { kind: "note" }>["about"]): (step: Step) => boolean {
  return (step) => step.kind === "note" && step.about === about;
}

async function structured(
  turn: Turn,
  output: OutputShape,
  concluded: Extract<Conclusion, { subtype: "success" }>,
  own: readonly Step[],
): Promise<Conclusion | undefined> {
  const parsed = await parseOutput(output.shape, concluded.text);
  if ("value" in parsed) return { ...concluded, text: JSON.stringify(parsed.value), structured: parsed.value };
  const tries = own.filter(isAbout("output")).length;
  if (tries < MAX_OUTPUT_RETRIES) {
    turn.log.append({ kind: "note", about: "output", text: parsed.error });
    return undefined;
  }
  const message = `The answer did not fit the output schema, and neither did ${MAX_OUTPUT_RETRIES} more: ${parsed.error}`;
  const subtype = "error_max_structured_output_retries";
  return { subtype, message, errorType: subtype };
}

/** The text of the last answer, with the text before a pause of the API. */
function said(own: readonly Step[]): string {
  const answers = own.filter((step) => step.kind === "assistant");
  const from = answers.findLastIndex((answer, index) => index < answers.length - 1 && !isPause(answer));
  return answers
    .slice(from + 1)
    .map(answerText)
    .join("");
}

function isPause({ stopReason, content }: AssistantStep): boolean {
  return stopReason === "pause_turn" && !content.some(({ type }) => type === "tool_use");
}

function joined(...texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined).join("\n\n");
}

/** The text counts more than the stop reason, which some backends get wrong. */
function meaningOf({ stopReason }: AssistantStep, words: string): Conclusion {
  const text = words.trim() === "" ? "" : words;
  switch (stopReason) {
    case "refusal":
      return failure(text || "The model refused to answer this.", ERROR.modelRefusal);
    case OUT_OF_ROOM:
      return failure("The conversation no longer fits the model's context window: begin a new session.", stopReason);
    case "max_tokens":
      if (text)
        return { subtype: "success", text: `${text}\n\n[The answer was cut at the limit of max_tokens.]`, stopReason };
      return failure("The model reached max_tokens before it said anything: raise max_tokens.", stopReason);
    case "end_turn":
    case "stop_sequence":
    case "tool_use":
    case "pause_turn":
    case null:
      if (text) return { subtype: "success", text, stopReason };
      return failure(
        "The model returned an empty answer, and another one when it was asked again: send the message again in other words, or begin a new session.",
        EMPTY,
      );
  }
}

type Failure = Exclude<Conclusion, { subtype: "success" }>;

function failure(message: string, errorType: string): Failure {
  return { subtype: "error_during_execution", message, errorType };
}
