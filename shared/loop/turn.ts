// A turn: from the user's message to the answer. Model and tools are passed in; nothing here knows the platform.
// Every step is appended to the log before the next begins.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import { ModelError, type Model } from "../models/model.ts";
import { ERROR } from "../tracing/names.ts";
import { addUsage, NO_USAGE, type Usage } from "../tracing/usage.ts";
import { callModel, type AssistantStep } from "./model-call.ts";
import { refusal } from "./permissions.ts";
import { transcript, type Step } from "./step.ts";
import { runToolCalls, type ToolRuntime } from "./tool-calls.ts";

export interface Turn extends ToolRuntime {
  readonly system: string;
  /** Tools that the API itself runs, e.g. Claude's web search. */
  readonly serverTools: readonly ToolUnion[];
  readonly model: Model;
  readonly budget: { readonly maxTurns: number; readonly maxWallMs: number };
  /** The thread's log, the message to answer included. */
  readonly steps: readonly Step[];
  /** Makes the step durable before anything that follows it can be seen outside. */
  readonly append: (step: Step) => void;
  /** Aborts when the task is canceled. */
  readonly signal: AbortSignal;
}

/** Result subtypes as the Claude Agent SDK names them, wall time and cancellation added. `usage` is this agent's own. */
export type TurnResult = { readonly usage: Usage; readonly turns: number } & (
  | { readonly subtype: "success"; readonly text: string; readonly stopReason: AssistantStep["stopReason"] }
  | {
      readonly subtype: "error_during_execution" | "error_max_turns" | "error_max_wall_time" | "canceled";
      readonly message: string;
      /** `error.type` of the turn's span. */
      readonly errorType: string;
    }
);

class WallTimeSpent extends Error {
  override readonly name = "WallTimeSpent";
}

/** Never rejects for what a model or a tool does: failures are results. */
export async function runTurn(turn: Turn): Promise<TurnResult> {
  const { budget, signal } = turn;
  const wall = new AbortController();
  const timer = setTimeout(
    () => wall.abort(new WallTimeSpent(`The wall-time budget of ${budget.maxWallMs / 1000} s was spent.`)),
    budget.maxWallMs,
  );
  const progress = { usage: NO_USAGE, turns: 0 };
  try {
    return await loop(turn, AbortSignal.any([signal, wall.signal]), progress);
  } catch (error) {
    if (signal.aborted) {
      return { subtype: "canceled", message: "The task was canceled.", errorType: ERROR.canceled, ...progress };
    }
    if (wall.signal.aborted) {
      const message = `The wall-time budget of ${budget.maxWallMs / 1000} s was spent in model call ${progress.turns}.`;
      return { subtype: "error_max_wall_time", message, errorType: ERROR.timeout, ...progress };
    }
    if (!(error instanceof ModelError)) throw error;
    return { subtype: "error_during_execution", message: error.message, errorType: error.code, ...progress };
  } finally {
    clearTimeout(timer);
  }
}

async function loop(turn: Turn, signal: AbortSignal, progress: { usage: Usage; turns: number }): Promise<TurnResult> {
  const { model, budget, emit } = turn;
  const steps = [...turn.steps];
  const append = (step: Step) => {
    turn.append(step);
    steps.push(step);
  };
  const tools = offeredTools(turn);
  /** What was said before the API paused: the next call goes on from there, so it is part of the answer. */
  let paused = "";
  for (;;) {
    if (progress.turns >= budget.maxTurns) {
      const message = `The budget of ${budget.maxTurns} model calls was spent before the answer was complete.`;
      return { subtype: "error_max_turns", message, errorType: "error_max_turns", ...progress };
    }
    progress.turns++;
    const request = { system: turn.system, messages: transcript(steps), tools };
    const answer = await callModel(model, request, progress.turns, signal, emit, turn.trace);
    progress.usage = addUsage(progress.usage, answer.usage);
    append(answer);
    if (answer.content.some((block) => block.type === "tool_use")) {
      paused = "";
      await runToolCalls(answer, turn, signal, append);
    } else if (answer.stopReason === "pause_turn") {
      paused += textOf(answer);
    } else {
      return { ...conclude(answer, paused + textOf(answer)), ...progress };
    }
  }
}

function offeredTools({ tools, serverTools, permissions }: Turn): ToolUnion[] {
  const own = tools.filter((tool) => !refusal(permissions, tool.name));
  const schemas = own.map(({ name, description, inputSchema }) => ({
    name,
    description,
    input_schema: { ...inputSchema, type: "object" as const },
  }));
  return [...schemas, ...serverTools.filter((tool) => !("name" in tool) || !refusal(permissions, tool.name))];
}

function textOf({ content }: AssistantStep): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

type Conclusion =
  | { subtype: "success"; text: string; stopReason: AssistantStep["stopReason"] }
  | { subtype: "error_during_execution"; message: string; errorType: string };

/** What an answer without tool calls means. Decided on the blocks first: some backends' stop reasons are not to be trusted. */
function conclude({ stopReason }: AssistantStep, said: string): Conclusion {
  const text = said.trim() === "" ? "" : said;
  switch (stopReason) {
    case "refusal":
      return failure(text || "The model refused to answer this.", ERROR.modelRefusal);
    case "model_context_window_exceeded":
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
      return failure("The model returned an empty answer.", "empty_answer");
  }
}

function failure(message: string, errorType: string): Conclusion {
  return { subtype: "error_during_execution", message, errorType };
}
