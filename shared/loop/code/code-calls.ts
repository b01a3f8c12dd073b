// What an agent's code asks for: tool calls and questions. The log has each before it begins, so a run that resumes gets the same results.
import { NO_USAGE } from "../../budget/usage.ts";
import { reasonOf } from "../../text/reason.ts";
import { canonical } from "../../text/canonical-json.ts";
import { jsonCopy } from "../../text/plain-json.ts";
import { pendingQuestion } from "../log/ledger.ts";
import type { AssistantStep, Said, Step } from "../log/step.ts";
import { runToolCalls } from "../tool-calls/tool-calls.ts";
import type { SuspendedTurn, Turn } from "../turn.ts";
import { type CodeCalls, CodeFailed } from "./code-run.ts";

type Block = Extract<AssistantStep["content"][number], { type: "tool_use" }>;

interface Waiting {
  readonly block: Block;
  readonly settled: PromiseWithResolvers<string>;
}

const NOBODY = "Nobody answered in time.";

/** The calls of one run of the code, side by side where it makes them so. */
export class CallsOfCode implements CodeCalls {
  readonly signal: AbortSignal;
  readonly #turn: Turn;
  /** Aborts the tools: with the turn, and when the code has ended without waiting for them. */
  readonly #toolSignal: AbortSignal;
  readonly #left = new AbortController();
  readonly #ended = new AbortController();
  readonly #suspended = Promise.withResolvers<SuspendedTurn>();
  #calls = 0;
  #questions = 0;
  #waiting: Waiting[] = [];
  /** Calls and questions, one batch after the other: the log has one open batch at most. */
  #line: Promise<void> = Promise.resolve();

  constructor(turn: Turn, signal: AbortSignal) {
    this.#turn = turn;
    this.#toolSignal = AbortSignal.any([signal, this.#ended.signal]);
    this.signal = AbortSignal.any([signal, this.#left.signal]);
    // Whoever runs the code awaits it.
    this.#suspended.promise.catch(() => {});
  }

  /** Resolves when the turn has to wait for somebody. Rejects with what ends it. */
  get suspended(): Promise<SuspendedTurn> {
    return this.#suspended.promise;
  }

  readonly call = async (tool: string, input: Record<string, unknown>): Promise<string> => {
    // Unique in the thread.
    const id = `code_${this.#turn.log.begin}_${++this.#calls}`;
    // The log keeps JSON, and a later change of the object changes no call.
    const block: Block = { type: "tool_use", id, name: tool, input: jsonCopy(input), caller: { type: "direct" } };
    const settled = Promise.withResolvers<string>();
    this.#waiting.push({ block, settled });
    // Calls that are made without an await between them come together.
    if (this.#waiting.length === 1) this.#next(async () => this.#runBatch(this.#waiting.splice(0)));
    return settled.promise;
  };

  readonly ask = async (question: Said): Promise<Said> => {
    const ordinal = this.#questions++;
    const settled = Promise.withResolvers<Said>();
    this.#next(async () => {
      const { log, approvals } = this.#turn;
      const own = log.own();
      const at = own.findIndex((step, index) => step.kind === "question" && ordinalOf(own, index) === ordinal);
      if (at === -1)
        log.append({ kind: "question", message: { ...question }, expiresAt: Date.now() + approvals.expiresMs });
      const pending = pendingQuestion(log.own());
      if (pending) return this.#suspend({ subtype: "suspended", approvals: [], question: pending });
      const answer = answerTo(own, at);
      if (answer) settled.resolve(answer);
      else settled.reject(new Error(NOBODY));
    });
    return settled.promise;
  };

  /** Ends this run: nothing that it still does counts. */
  leave(reason: string): void {
    this.#left.abort(new Error(reason));
  }

  /** The code has ended. Resolves when its calls have, too. */
  async end(): Promise<void> {
    const reason = new Error("The agent's code ended without waiting for this call.");
    this.#ended.abort(reason);
    this.leave(reason.message);
    await this.#line;
  }

  #next(work: () => Promise<void>): void {
    this.#line = this.#line
      .then(async () => {
        this.signal.throwIfAborted();
        return work();
      })
      .catch((error: unknown) => {
        this.#suspended.reject(error);
        this.leave(reasonOf(error));
      });
  }

  #suspend(turn: SuspendedTurn): void {
    this.#suspended.resolve(turn);
    this.leave("The turn waits for an answer.");
  }

  async #runBatch(batch: readonly Waiting[]): Promise<void> {
    const { log } = this.#turn;
    const known = new Map(
      log.own().flatMap((step) => blocksOf(step).map((block) => [block.id, { step, block }] as const)),
    );
    for (const { block } of batch) {
      const before = known.get(block.id)?.block;
      if (before && !isSame(before, block))
        throw new CodeFailed(
          `its code asked for ${block.name} where it had asked for ${before.name} before: a run that resumes has to make the same calls in the same order.`,
        );
    }
    const fresh = batch.filter(({ block }) => !known.has(block.id)).map(({ block }) => block);
    // Calls that an earlier life left open are the last ones of the log.
    for (const message of new Set(batch.flatMap(({ block }) => known.get(block.id)?.step ?? [])))
      if (message.kind === "assistant" && (await this.#runCalls(message))) return;
    if (fresh.length > 0 && (await this.#runCalls(this.#begin(fresh)))) return;
    const results = new Map(log.own().flatMap((step) => (step.kind === "tool_result" ? [[step.toolUseId, step]] : [])));
    for (const { block, settled } of batch) {
      const result = results.get(block.id);
      if (result?.isError === false) settled.resolve(result.content);
      else settled.reject(new Error(result?.content ?? "The call has no result."));
    }
  }

  #begin(blocks: Block[]): AssistantStep {
    const step: AssistantStep = {
      kind: "assistant",
      content: blocks,
      stopReason: "tool_use",
      usage: NO_USAGE,
      model: "code",
      malformedInputs: {},
    };
    this.#turn.log.append(step);
    return step;
  }

  /** Runs the calls of a step that have no result. Whether the turn has to wait for approvals. */
  async #runCalls(message: AssistantStep): Promise<boolean> {
    const own = this.#turn.log.own();
    const ids = blocksOf(message).map(({ id }) => id);
    if (ids.every((id) => own.some((step) => step.kind === "tool_result" && step.toolUseId === id))) return false;
    const approvals = await runToolCalls(message, this.#turn, this.#toolSignal);
    if (approvals.length > 0) this.#suspend({ subtype: "suspended", approvals });
    return approvals.length > 0;
  }
}

function blocksOf(step: Step): Block[] {
  return step.kind === "assistant" ? step.content.filter((block) => block.type === "tool_use") : [];
}

function isSame(a: Block, b: Block): boolean {
  return a.name === b.name && canonical(a.input) === canonical(b.input);
}

function ordinalOf(own: readonly Step[], index: number): number {
  return own.slice(0, index).filter(({ kind }) => kind === "question").length;
}

/** The message that answered the question at `index`; undefined where nobody did. */
function answerTo(own: readonly Step[], index: number): Said | undefined {
  const at = own.findIndex((step, other) => other > index && step.kind === "question_answer");
  const [answered, said] = [own[at], own[at - 1]];
  if (answered?.kind !== "question_answer" || answered.expired || said?.kind !== "said") return undefined;
  return said.messages.at(-1);
}
