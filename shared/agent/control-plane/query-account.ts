// The agent's side of a query's account: it reserves at the control plane's Budget object before each model call, and settles the cost. It
// retries for a while; then no model call is made. Its errors name no address, because they may reach another agent's model.
import * as z from "zod";
import { BudgetSpent, type Limits, PriceUnknown } from "../../budget/limits.ts";
import { type Account, BudgetUnreachable } from "../../budget/account.ts";
import { type Exhaustion, spentMessage } from "../../budget/exhaustion.ts";
import { ReserveAnswer, TimeUpAnswer, ToolCallsAnswer } from "../../control-plane/budgets.ts";
import { untilAborted } from "../../resilience/until-aborted.ts";
import { Problem } from "../../http/problem.ts";
import { parseJson } from "../../text/parse-json.ts";
import { Stopwatch, timeLimit } from "../../resilience/stopwatch.ts";
import type { Price } from "../../budget/price.ts";

/** The bindings that reach the control plane. */
export interface ControlPlaneEnv {
  readonly CONTROL_PLANE: { fetch(url: string, init: RequestInit): Promise<Response> };
  readonly TROUPE_TOKEN: string;
}

/** Who spends on which query. */
export interface Spender {
  /** At most 300 characters. */
  readonly query: string;
  readonly agent: string;
  readonly task: string;
  /** The life of the task; each queryAccount of a task needs a higher number. */
  readonly life: number;
  readonly limits: Limits;
  readonly price: Price | undefined;
}

/** All in milliseconds. */
export interface Patience {
  /** How long the account may keep a call waiting before it is asked again. */
  readonly waitMs: number;
  /** How long an answer may take, waiting aside. */
  readonly answerMs: number;
  /** How long to retry while there is no answer. */
  readonly giveUpMs: number;
  /** Pauses before each retry; the last one repeats. */
  readonly delaysMs: readonly [number, ...number[]];
}

const PATIENCE: Patience = { waitMs: 10_000, answerMs: 5_000, giveUpMs: 15_000, delaysMs: [100, 300, 1_000, 2_000] };

const Nothing = z.unknown();

/** The account of one query, as one life of one task spends from it. */
export function queryAccount(env: ControlPlaneEnv, spender: Spender, patience: Patience = PATIENCE): Account {
  const { query, agent, task, life, limits, price } = spender;
  const connection = { env, patience };
  let calls = 0;
  return {
    async reserve(call, signal) {
      if (limits.maxUsd !== undefined && !price) throw new PriceUnknown(agent);
      const id = `${agent}:${task}:${life}:${++calls}`;
      const { waitMs } = patience;
      const body = { query, limits, agent, task, life, id, ...call, waitMs, ...(price && { price }) };
      try {
        for (;;) {
          const answer = await send(connection, "reserve", body, ReserveAnswer, signal, waitMs);
          if ("granted" in answer) return { id, maxTokens: answer.granted.maxTokens };
          if ("exhausted" in answer) throw spent(answer.exhausted);
          await pause(patience.delaysMs[0], signal);
        }
      } catch (error) {
        // It may have been granted after all. If the release fails too, it stays open until the account takes it for cut.
        if (!(error instanceof BudgetSpent)) void post(connection, "release", { query, id }, undefined).catch(() => {});
        throw error;
      }
    },
    async settle(id, usage) {
      await send(connection, "settle", { query, id, usage, ...(price && { price }) }, Nothing);
    },
    async cut(id) {
      await send(connection, "cut", { query, id }, Nothing);
    },
    async cutEarlierLives() {
      await send(connection, "cut-earlier-lives", { query, agent, task, life }, Nothing);
    },
    async release(id) {
      await send(connection, "release", { query, id }, Nothing);
    },
    async countToolCalls(id, count, signal) {
      const body = { query, limits, agent, task, id: `${agent}:${task}:${id}`, count };
      const answer = await send(connection, "tool-calls", body, ToolCallsAnswer, signal);
      if ("exhausted" in answer) throw spent(answer.exhausted);
    },
    async timeIsUp(spentMs, signal) {
      const body = { query, limits, spentMs };
      return (await send(connection, "time-up", body, TimeUpAnswer, signal)).exhausted;
    },
  };
}

interface Connection {
  readonly env: ControlPlaneEnv;
  readonly patience: Patience;
}

function spent(exhaustion: Exhaustion): BudgetSpent {
  return new BudgetSpent(exhaustion.kind, spentMessage(exhaustion));
}

/**
 * Asks, and retries while there is no answer or a 5xx one. Throws the signal's reason, or BudgetUnreachable: at once where a retry will
 * not help.
 */
async function send<Answer>(
  connection: Connection,
  operation: string,
  body: object,
  answer: z.ZodType<Answer>,
  signal?: AbortSignal,
  waitMs = 0,
): Promise<Answer> {
  const { giveUpMs, delaysMs } = connection.patience;
  const time = Stopwatch.start();
  try {
    for (let attempt = 0; ; attempt++) {
      const tried = await attemptOnce(connection, operation, body, signal, waitMs);
      if ("text" in tried) {
        const parsed = answer.safeParse(parseJson(tried.text));
        if (parsed.success) return parsed.data;
        throw unreachable("what it answered was not understood; deploy the job again", parsed.error);
      }
      const delayMs = delaysMs[Math.min(attempt, delaysMs.length - 1)] ?? delaysMs[0];
      if (!tried.again || time.ms + delayMs > giveUpMs) throw unreachable(tried.reason, tried.cause);
      await pause(delayMs, signal);
    }
  } finally {
    time.stop();
  }
}

type Attempt =
  | { readonly text: string }
  | { readonly again: boolean; readonly reason: string; readonly cause?: unknown };

async function attemptOnce(
  connection: Connection,
  operation: string,
  body: object,
  signal: AbortSignal | undefined,
  waitMs: number,
): Promise<Attempt> {
  signal?.throwIfAborted();
  try {
    const response = await post(connection, operation, body, signal, waitMs);
    const text = await response.text();
    if (response.ok) return { text };
    const again = response.status >= 500 || response.status === 429;
    const detail = Problem.safeParse(parseJson(text)).data?.detail;
    return { again, reason: `it answered ${response.status}${again || !detail ? "" : `, ${detail}`}` };
  } catch (cause) {
    signal?.throwIfAborted();
    return { again: true, reason: "it does not answer", cause };
  }
}

async function post(
  { env, patience }: Connection,
  operation: string,
  body: object,
  signal: AbortSignal | undefined,
  waitMs = 0,
): Promise<Response> {
  const limit = timeLimit(waitMs + patience.answerMs);
  return env.CONTROL_PLANE.fetch(`https://control-plane/v1/budgets/${operation}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${env.TROUPE_TOKEN}`, "Content-Type": "application/json" },
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    body: JSON.stringify(body),
  });
}

function unreachable(reason: string, cause: unknown): BudgetUnreachable {
  const message = `The account of the query cannot be reached (${reason}), so no model call is made. Is the control plane running?`;
  return new BudgetUnreachable(message, { cause });
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const passed = new Promise<void>((resolve) => setTimeout(resolve, ms));
  await (signal ? untilAborted(passed, signal) : passed);
}
