// Sends a request to one agent over A2A 1.0 (HTTP+JSON) and follows its task until it ends or waits for input. After a
// broken connection it sends the same message again: the agent knows the message's id and resumes the stream.
import { setTimeout as delay } from "node:timers/promises";

import { type Part, Role, type StreamResponse } from "@a2a-js/sdk";
import type { Client } from "@a2a-js/sdk/client";

import { dataPart, textMessage } from "#shared/a2a/message.ts";
import type { ApprovalAnswer } from "#shared/loop/log/approval.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../terminal/cli-error.ts";
import { commandFor, type AgentAddress } from "./reply-command.ts";
import { cancel, CANCEL_LIMIT_MS, connect, refusal, UnreachableError } from "./client.ts";
import { type Answer, type Listener, Progress } from "./progress.ts";
import { troupe } from "../terminal/hint.ts";

export type { Answer };

export type Request =
  /** A question; `session` is the contextId to resume, `files` follow the text. */
  | {
      readonly is: "question";
      readonly text: string;
      readonly session: string | undefined;
      readonly files?: readonly Part[];
    }
  /** Answers to approvals that a task waits for; `shown` is the part of the task's answer that was shown already. */
  | {
      readonly is: "answers";
      readonly taskId: string;
      readonly answers: readonly ApprovalAnswer[];
      readonly shown: string;
    }
  /** Answers the question of a task's agent. */
  | { readonly is: "reply"; readonly taskId: string; readonly text: string; readonly files?: readonly Part[] }
  /** Follows a task without sending it a message. */
  | { readonly is: "look"; readonly taskId: string };

export interface AskListener extends Listener {
  /** Aborting cancels the task, except for `look`; the reason is thrown once the agent knows. */
  readonly signal: AbortSignal;
  /** The connection broke and is tried again. */
  onBroken(): void;
  /** The agent has no room for the message, which is sent again later; called once. */
  onBusy(why: string): void;
  /** After an abort: whether the agent says that the task is canceled. */
  onCanceled?(isCanceled: boolean): void;
  /** How long a broken connection is tried again, in milliseconds; 15,000 by default. */
  readonly patienceMs?: number;
  /** First pause before a broken connection is tried again, in milliseconds, doubled each time; 250 by default. */
  readonly pauseMs?: number;
}

const PATIENCE_MS = 15_000;
/** Longest wait that a busy agent may ask for, in seconds. */
const MAX_BUSY_S = 30;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2_000;

/** Resolves when the task has ended or waits for input. Throws CliError when the agent cannot be reached or refuses. */
export async function ask(address: AgentAddress, request: Request, listener: AskListener): Promise<Answer> {
  const { signal, patienceMs = PATIENCE_MS, pauseMs: firstMs = FIRST_PAUSE_MS } = listener;
  const { client, isBroken, busyS } = await connectPatiently(address, listener, patienceMs, firstMs);
  const open = opener(client, request);
  const progress = new Progress(listener, request.is === "question" ? {} : request);
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
      // After an expiry only `look` waits for the outcome: the agent ends other streams.
      const result = progress.result();
      if (progress.isAtRest || result.approvals.length > 0) return result;
    } catch (error) {
      failure = error;
    } finally {
      connection.abort();
    }
    if (signal.aborted) {
      if (request.is === "look") throw signal.reason;
      const taskId = progress.taskId === "" ? await taskIdOf(open) : progress.taskId;
      const isCanceled = await cancel(client, taskId);
      listener.onCanceled?.(isCanceled);
      throw signal.reason;
    }
    const retryS = busyS();
    if (retryS !== undefined) {
      if (!isBusy) listener.onBusy(reasonOf(failure));
      [isBusy, brokenAt] = [true, undefined];
      await delay(Math.min(retryS, MAX_BUSY_S) * 1_000, undefined, { signal }).catch(() => {});
      continue;
    }
    if (!isBroken(failure)) throw refusal(failure, address);
    if (brokenAt === undefined) listener.onBroken();
    brokenAt ??= Date.now();
    if (Date.now() + pauseMs > brokenAt + patienceMs) throw lostError(address, progress.taskId, patienceMs, failure);
    // After an abort the next try fails at once and throws.
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}

/**
 * The id of the task that the message opened, where its first event has not come: the agent tells it when it gets the same message
 * again. Empty where it does not.
 */
async function taskIdOf(open: Open): Promise<string> {
  try {
    for await (const { payload } of open(AbortSignal.timeout(CANCEL_LIMIT_MS))) {
      if (payload?.$case === "task") return payload.value.id;
    }
  } catch {
    // The agent is gone, or refuses.
  }
  return "";
}

/** An agent of a job may be starting again at this moment; another address is more likely wrong. */
async function connectPatiently(address: AgentAddress, listener: AskListener, patienceMs: number, firstMs: number) {
  const { signal } = listener;
  const deadline = Date.now() + (address.job === undefined ? 0 : patienceMs);
  for (let pauseMs = firstMs; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await connect(address, signal);
    } catch (error) {
      if (!(error instanceof UnreachableError) || Date.now() + pauseMs > deadline) throw error;
      if (pauseMs === firstMs) listener.onBroken();
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }
}

type Open = (signal: AbortSignal) => AsyncIterable<StreamResponse>;

/** Opens the stream of the request; each call sends the same message. */
function opener(client: Client, request: Request): Open {
  if (request.is === "look") return (signal) => look(client, request.taskId, signal);
  const ids = request.is === "question" ? { contextId: request.session ?? "" } : { taskId: request.taskId };
  const said = textMessage(Role.ROLE_USER, request.is === "answers" ? "" : request.text, ids);
  const parts =
    request.is === "answers" ? [dataPart({ approvals: request.answers })] : [...said.parts, ...(request.files ?? [])];
  const message = { ...said, parts };
  const params = { tenant: "", message, configuration: undefined, metadata: undefined };
  return (signal) => client.sendMessageStream(params, { signal });
}

async function* look(client: Client, id: string, signal: AbortSignal): AsyncGenerator<StreamResponse, void, undefined> {
  const value = await client.getTask({ tenant: "", id, historyLength: 0 }, { signal });
  yield { payload: { $case: "task", value } };
  try {
    yield* client.resubscribeTask({ tenant: "", id }, { signal });
  } catch {
    // The task may have ended in between, and an ended task has no stream. After a broken connection this fails too.
    yield { payload: { $case: "task", value: await client.getTask({ tenant: "", id, historyLength: 0 }, { signal }) } };
  }
}

function lostError(address: AgentAddress, taskId: string, patienceMs: number, failure: unknown): CliError {
  const cause = failure instanceof Error && failure.cause instanceof Error ? ` (${failure.cause.message})` : "";
  const kept =
    taskId === ""
      ? "It is not known whether your message arrived."
      : "Its task is kept and resumes when the agent is back.";
  const look =
    taskId === "" ? "" : ` ${address.job === undefined ? "Later" : "Then"} show it: ${commandFor(address, taskId)}`;
  return new CliError(
    "failed",
    `The connection to the agent broke and could not be restored within ${patienceMs / 1_000} s: ${reasonOf(failure)}${cause}. ${kept}`,
    address.job === undefined ? look.trim() : `Start the job again: ${troupe`restart ${address.job}`}.${look}`,
  );
}
