// A model made of prepared answers, and a turn around it: the loop without network.
import type { RawMessageStreamEvent, StopReason } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import type { LoopEvent } from "#shared/loop/event.ts";
import type { Step } from "#shared/loop/step.ts";
import { defineTool, type Tool } from "#shared/loop/tool.ts";
import { runTurn, type Turn, type TurnResult } from "#shared/loop/turn.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { SILENT } from "#shared/tracing/tracer.ts";
import { NO_PEERS } from "../../support/no-peers.ts";
import type { Model, ModelError, ModelRequest } from "#shared/models/model.ts";

/** One answer: text, tool calls, how it stops, and whether it breaks. */
export interface Answer {
  readonly text?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly json: string }[];
  readonly stop?: StopReason;
  readonly error?: ModelError;
  /** Never goes on after its text. */
  readonly hang?: boolean;
}

export class ScriptedModel implements Model {
  readonly name = "scripted";
  readonly maxTokens = 100;
  readonly provider = "scripted";
  readonly server = { address: "model.test", port: 443 };
  readonly price = undefined;
  readonly requests: ModelRequest[] = [];
  readonly #answers: Answer[];

  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<RawMessageStreamEvent> {
    this.requests.push(structuredClone(request));
    const answer = this.#answers.shift();
    if (!answer) throw new Error("The script has no further answer.");
    for (const event of events(answer)) {
      signal.throwIfAborted();
      yield event;
    }
    if (answer.hang)
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new Error("aborted", { cause: signal.reason }))),
      );
    if (answer.error) throw answer.error;
  }
}

const NO_FIGURES = {
  cache_creation: null,
  cache_creation_input_tokens: 3,
  cache_read_input_tokens: 4,
  inference_geo: null,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: null,
  speed: null,
};

function events({ text, calls = [], stop, error, hang }: Answer): RawMessageStreamEvent[] {
  const blocks: RawMessageStreamEvent[] = [];
  let index = 0;
  if (text !== undefined) {
    blocks.push({ type: "content_block_start", index, content_block: { type: "text", text: "", citations: null } });
    for (const word of text.split(/(?<= )/))
      blocks.push({ type: "content_block_delta", index, delta: { type: "text_delta", text: word } });
    blocks.push({ type: "content_block_stop", index: index++ });
  }
  for (const { id, name, json } of calls) {
    blocks.push({
      type: "content_block_start",
      index,
      content_block: { type: "tool_use", id, name, input: {}, caller: { type: "direct" } },
    });
    blocks.push({ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: json } });
    blocks.push({ type: "content_block_stop", index: index++ });
  }
  const usage = { ...NO_FIGURES, input_tokens: 10, output_tokens: 1 };
  const start = {
    id: "msg",
    type: "message",
    role: "assistant",
    model: "scripted-1",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    context_management: null,
    diagnostics: null,
    usage,
  };
  const end = {
    stop_reason: stop ?? (calls.length > 0 ? "tool_use" : "end_turn"),
    stop_sequence: null,
    stop_details: null,
    container: null,
  };
  const events: object[] = [{ type: "message_start", message: start }, ...blocks];
  if (!error && !hang)
    events.push(
      { type: "message_delta", delta: end, usage: { ...NO_FIGURES, input_tokens: null, output_tokens: 7 } },
      { type: "message_stop" },
    );
  // SAFETY: the objects above are the API's events as far as the loop reads them; the SDK's types ask for more than the wire carries.
  return events as RawMessageStreamEvent[];
}

export const ECHO = defineTool({
  name: "echo",
  description: "Echoes",
  input: z.object({ text: z.string() }),
  annotations: { readOnly: true, idempotent: true },
  run: ({ text }) => text,
});

export interface Ran {
  readonly result: TurnResult;
  /** What was appended, the first message included. */
  readonly steps: readonly Step[];
  readonly events: readonly LoopEvent[];
}

/** Runs a turn on "hi" with the echo tool, unless told otherwise. */
export async function run(model: Model, more: Partial<Turn> & { tools?: readonly Tool[] } = {}): Promise<Ran> {
  const steps: Step[] = [...(more.steps ?? [{ kind: "user", text: "hi" } as const])];
  const events: LoopEvent[] = [];
  const result = await runTurn({
    model,
    system: "You are under test.",
    tools: [ECHO],
    serverTools: [],
    permissions: { allow: null, deny: [] },
    hooks: {},
    budget: { maxTurns: 10, maxWallMs: 10_000 },
    call: { agent: "tester", config: {}, env: {}, contextId: "context", taskId: "task", peers: NO_PEERS },
    append: (step) => steps.push(step),
    trace: { tracer: SILENT, parent: randomContext(), agent: "tester", contextId: "context" },
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    ...more,
    steps: [...steps],
  });
  return { result, steps, events };
}
