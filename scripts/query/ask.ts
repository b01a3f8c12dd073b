// Puts a request to one agent over A2A 1.0 (HTTP+JSON) with the SDK's own client, and follows its task until it ends or asks back.
// A connection that breaks is made again: the agent knows a message by its id, and leads it to the task that it opened.
import { setTimeout as delay } from "node:timers/promises";

import { Role, type StreamResponse } from "@a2a-js/sdk";
import type { Client } from "@a2a-js/sdk/client";

import { dataPart, textMessage } from "#shared/a2a/message.ts";
import type { ApprovalAnswer } from "#shared/loop/log/approval.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../terminal/cli-error.ts";
import { commandFor, type ReplyTo } from "./reply-command.ts";
import { cancel, connect, refusal } from "./client.ts";
import { type Answer, type Listener, Progress } from "./progress.ts";
import { troupe } from "../terminal/hint.ts";

export type { Answer };

export type Request =
  /** A question; `session` is the contextId that it goes on with. */
  | { readonly is: "question"; readonly text: string; readonly session: string | undefined }
  /** Answers to what a task waits for; `shown` is what there is of its own answer so far. */
  | {
      readonly is: "answers";
      readonly taskId: string;
      readonly answers: readonly ApprovalAnswer[];
      readonly shown: string;
    }
  /** Looks at a task, without a word to it. */
  | { readonly is: "look"; readonly taskId: string };

export interface Asking extends Listener {
  /** Aborting cancels the task, unless it was only looked at; its reason is thrown once the agent has been told. */
  readonly signal: AbortSignal;
  /** The connection broke, and is made again. */
  onBroken(): void;
  /** The agent has no room for the message, which is sent again; called once. */
  onBusy(why: string): void;
  /** How long an agent that does not come back is tried, in milliseconds; 15,000 when left out. */
  readonly patienceMs?: number;
  /** First pause before the connection is made again, in milliseconds, doubled each time; 250 when left out. */
  readonly pauseMs?: number;
}

const PATIENCE_MS = 15_000;
/** Longest wait that an agent without room may ask for, in seconds. */
const MAX_BUSY_S = 30;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2_000;

/** Resolves with the state in which the task ended or waits. Throws CliError when the agent cannot be reached or refuses. */
export async function ask(target: ReplyTo, request: Request, asking: Asking): Promise<Answer> {
  const { signal, patienceMs = PATIENCE_MS, pauseMs: firstMs = FIRST_PAUSE_MS } = asking;
  const { client, isBroken, busyS } = await connect(target, signal);
  const open = opener(client, request);
  const progress = new Progress(asking, request.is === "question" ? {} : request);
  let brokenAt: number | undefined;
  let isBusy = false;
  for (let pauseMs = firstMs; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    const connection = new AbortController();
    let failure: unknown = new Error("the agent ended it");
    try {
      for await (const event of open(AbortSignal.any([signal, connection.signal]))) {
        [brokenAt, pauseMs] = [undefined, firstMs];
        progress.take(event);
        if (progress.isAtRest) break;
      }
      // Of what has expired only those who look wait for the outcome: others are let go by the agent.
      const result = progress.result();
      if (progress.isAtRest || result.approvals.length > 0) return result;
    } catch (error) {
      failure = error;
    } finally {
      connection.abort();
    }
    if (signal.aborted) {
      if (request.is !== "look") await cancel(client, progress.taskId);
      throw signal.reason;
    }
    const againS = busyS();
    if (againS !== undefined) {
      if (!isBusy) asking.onBusy(reasonOf(failure));
      [isBusy, brokenAt] = [true, undefined];
      await delay(Math.min(againS, MAX_BUSY_S) * 1_000, undefined, { signal }).catch(() => {});
      continue;
    }
    if (!isBroken()) throw refusal(failure, target);
    if (brokenAt === undefined) asking.onBroken();
    brokenAt ??= Date.now();
    if (Date.now() + pauseMs > brokenAt + patienceMs) throw gaveUp(target, progress.taskId, patienceMs, failure);
    // At an abort the next try fails at once, and says so.
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}

type Open = (signal: AbortSignal) => AsyncIterable<StreamResponse>;

/** The same message each time it is called. */
function opener(client: Client, request: Request): Open {
  if (request.is === "look") return (signal) => look(client, request.taskId, signal);
  const ids = request.is === "question" ? { contextId: request.session ?? "" } : { taskId: request.taskId };
  const said = textMessage(Role.ROLE_USER, request.is === "question" ? request.text : "", ids);
  const message = request.is === "question" ? said : { ...said, parts: [dataPart({ approvals: request.answers })] };
  const params = { tenant: "", message, configuration: undefined, metadata: undefined };
  return (signal) => client.sendMessageStream(params, { signal });
}

async function* look(client: Client, id: string, signal: AbortSignal): AsyncGenerator<StreamResponse, void, undefined> {
  const value = await client.getTask({ tenant: "", id, historyLength: 0 }, { signal });
  yield { payload: { $case: "task", value } };
  try {
    yield* client.resubscribeTask({ tenant: "", id }, { signal });
  } catch {
    // It may have ended in between, and then nobody can follow it any more. If the connection broke, so does this.
    yield { payload: { $case: "task", value: await client.getTask({ tenant: "", id, historyLength: 0 }, { signal }) } };
  }
}

function gaveUp(target: ReplyTo, taskId: string, patienceMs: number, failure: unknown): CliError {
  const cause = failure instanceof Error && failure.cause instanceof Error ? ` (${failure.cause.message})` : "";
  const kept =
    taskId === ""
      ? "Whether your message arrived is not known."
      : "Its task is kept, and goes on when the agent is back.";
  const look = taskId === "" ? "" : ` Then look at it: ${commandFor(target, taskId)}`;
  return new CliError(
    "failed",
    `The connection to the agent broke and could not be made again within ${patienceMs / 1_000} s: ${reasonOf(failure)}${cause}. ${kept}`,
    `Start the job again: ${troupe`restart ${target.job}`}.${look}`,
  );
}
