// A model made of prepared answers, and a turn around it: the loop without network.
import type { RawMessageStreamEvent, StopReason } from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { approvalText } from "#shared/agent/session/approvals/binding.ts";
import type { LoopEvent } from "#shared/loop/event.ts";
import { baseHookInput } from "#shared/loop/hooks/input.ts";
import type { Hooks } from "#shared/loop/hooks/matcher.ts";
import { runHooks } from "#shared/loop/hooks/run-hooks.ts";
import type { Permissions } from "#shared/loop/tools/permissions.ts";
import type { Step } from "#shared/loop/log/step.ts";
import { TurnLog } from "#shared/loop/log/turn-log.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import type { EndedTurn, Turn, TurnApprovals, TurnBudget, TurnResult } from "#shared/loop/turn.ts";
import { runTurn } from "#shared/loop/run-turn.ts";
import { randomContext } from "#shared/tracing/trace-context.ts";
import { SILENT } from "#shared/tracing/tracer.ts";
import { NO_PEERS } from "../../support/no-peers.ts";
import type { Price } from "#shared/budget/price.ts";
import type { Model, ModelError, ModelRequest } from "#shared/models/model.ts";

export const FULL_ACCESS: Permissions = { preset: "full_access", mode: "default", allow: null, ask: [], deny: [] };

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
  readonly contextTokens = 10_000;
  /** So that no test waits for the loop's own pauses. */
  readonly retryPausesMs: readonly number[] | undefined = [1, 1];
  readonly countTokens = async () => undefined;
  readonly provider = "scripted";
  readonly server = { address: "model.test", port: 443 };
  price: Price | undefined;
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

export interface Ran<Result extends TurnResult = EndedTurn> {
  readonly result: Result;
  /** The log, the first message included. */
  readonly steps: readonly Step[];
  readonly events: readonly LoopEvent[];
}

export interface More
  extends Partial<Omit<Turn, "hook" | "log" | "budget" | "approvals">>, Partial<Omit<TurnBudget, "limits">> {
  readonly steps?: readonly Step[];
  /** Index of the task's first step; the last message when left out. */
  readonly begin?: number;
  readonly life?: number;
  /** Called with each step before it is in the log. */
  readonly append?: (step: Step) => void;
  readonly hooks?: Hooks;
  readonly budget?: TurnBudget["limits"];
  readonly policy?: TurnApprovals["policy"];
  readonly approvalMs?: number;
  readonly approvalId?: TurnApprovals["idOf"];
}

/** Runs a turn on "hi" with the echo tool to its end, unless told otherwise. */
export async function run(model: Model, more: More = {}): Promise<Ran> {
  const { result, ...rest } = await runToRest(model, more);
  if (result.subtype === "suspended") throw new Error("The turn was suspended.");
  return { result, ...rest };
}

/** Runs a turn until it ends or waits for answers. */
export async function runToRest(model: Model, more: More = {}): Promise<Ran<TurnResult>> {
  const {
    steps,
    hooks = {},
    append = () => {},
    life = 1,
    begin,
    budget,
    policy,
    approvalMs,
    approvalId,
    ...parts
  } = more;
  const { workedMs = 0, account, queryWallMs, ...rest } = parts;
  const log: Step[] = [...(steps ?? [{ kind: "user", text: "hi" } as const])];
  const events: LoopEvent[] = [];
  const about = { contextId: "context", taskId: "task", agent: "tester", mode: FULL_ACCESS.mode } as const;
  const base = baseHookInput(about);
  const parent = randomContext();
  const result = await runTurn({
    model,
    system: "You are under test.",
    tools: [ECHO],
    serverTools: [],
    permissions: FULL_ACCESS,
    canUseTool: undefined,
    hook: async (input, signal, toolUseId) => runHooks(hooks, { ...base, ...input }, signal, toolUseId),
    log: new TurnLog(log, {
      begin: begin ?? log.findLastIndex(({ kind }) => kind === "user"),
      life,
      write: append,
    }),
    budget: { limits: budget ?? { maxTurns: 10, maxWallMs: 10_000 }, workedMs, account, queryWallMs },
    approvals: {
      policy: policy ?? [],
      expiresMs: approvalMs ?? 60_000,
      idOf: approvalId ?? ((call) => `ap_${approvalText({ taskId: "task", agent: "tester", ...call })}`),
    },
    code: undefined,
    artifact: () => {},
    idempotencyKey: (toolUseId) => `key of ${toolUseId}`,
    peerUsage: () => undefined,
    output: undefined,
    sessionStart: undefined,
    isFromPeer: false,
    call: { agent: "tester", config: {}, env: {}, contextId: "context", taskId: "task", peers: NO_PEERS },
    trace: { tracer: SILENT, parent, task: parent, agent: "tester", contextId: "context" },
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    ...rest,
  });
  return { result, steps: log, events };
}
