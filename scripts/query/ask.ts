// Asks one agent one question over A2A 1.0 (HTTP+JSON) with the SDK's own client, and follows its task to the end.
import { Role, TaskState, taskStateToJSON, type TaskStatus } from "@a2a-js/sdk";
import { type Client, ClientFactory, ClientFactoryOptions, RestTransportFactory } from "@a2a-js/sdk/client";
import * as z from "zod";

import { isTerminal, textMessage, textOfParts } from "#shared/a2a/message.ts";
import { reasonOf } from "#shared/tracing/reason.ts";
import { Usage } from "#shared/tracing/usage.ts";

import { CliError } from "../cli-error.ts";

const Metadata = z.object({ traceId: z.optional(z.string()), usage: z.optional(Usage) });

export interface Answer {
  readonly answer: string;
  readonly contextId: string;
  readonly taskId: string;
  /** As A2A names it, without prefix: completed, failed, canceled, input-required … */
  readonly state: string;
  /** What the agent says about this state; the reason when it failed. */
  readonly reason: string;
  readonly traceId: string | null;
  readonly usage: Usage | null;
  readonly durationMs: number;
}

export interface Question {
  /** Origin of the agent. */
  readonly url: string;
  readonly text: string;
  /** Continues the session of this contextId. */
  readonly session: string | undefined;
  /** Aborting cancels the task; its reason is thrown once the agent has been told. */
  readonly signal: AbortSignal;
  /** A piece of the answer. `fresh` means that it replaces what came before. */
  onText(text: string, fresh: boolean): void;
  /** The id of the trace that it is, if the agent gives it away with the task. */
  onTrace(traceId: string | undefined): void;
}

const CANCEL_LIMIT_MS = 3_000;

/** Resolves with the task's final state, whichever it is. Throws CliError when the agent cannot be reached or refuses. */
export async function ask(question: Question): Promise<Answer> {
  const begun = Date.now();
  const client = await connect(question);
  const request = {
    tenant: "",
    message: textMessage(Role.ROLE_USER, question.text, { contextId: question.session ?? "" }),
    configuration: undefined,
    metadata: undefined,
  };
  const seen = { answer: "", contextId: question.session ?? "", taskId: "" };
  let status: TaskStatus | undefined;
  let metadata: unknown;
  try {
    for await (const { payload } of client.sendMessageStream(request, { signal: question.signal })) {
      switch (payload?.$case) {
        case "task":
          seen.contextId = payload.value.contextId;
          seen.taskId = payload.value.id;
          ({ status, metadata } = payload.value);
          question.onTrace(knownOf(metadata).traceId);
          break;
        case "artifactUpdate": {
          const text = textOfParts(payload.value.artifact?.parts);
          seen.answer = payload.value.append ? seen.answer + text : text;
          question.onText(text, !payload.value.append);
          break;
        }
        case "statusUpdate":
          status = payload.value.status;
          metadata = payload.value.metadata ?? metadata;
          break;
        case "message":
          seen.answer = textOfParts(payload.value.parts);
          question.onText(seen.answer, true);
          break;
        case undefined:
          break;
      }
    }
  } catch (error) {
    if (!question.signal.aborted) throw refusal(error, question.url);
    await cancel(client, seen.taskId);
    throw question.signal.reason;
  }
  const state = status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  if (!isTerminal(state) && state !== TaskState.TASK_STATE_INPUT_REQUIRED) {
    throw new CliError(
      "failed",
      "The connection to the agent ended before its answer.",
      "Ask again, or look at: troupe logs",
    );
  }
  const known = knownOf(metadata);
  return {
    ...seen,
    state: nameOf(state),
    reason: textOfParts(status?.message?.parts),
    traceId: known.traceId ?? null,
    usage: known.usage ?? null,
    durationMs: Date.now() - begun,
  };
}

function knownOf(metadata: unknown): z.infer<typeof Metadata> {
  return Metadata.safeParse(metadata ?? {}).data ?? {};
}

async function connect({ url, signal }: Question): Promise<Client> {
  const fetchImpl: typeof fetch = async (input, init) => fetch(input, { ...init, signal: init?.signal ?? signal });
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [new RestTransportFactory({ fetchImpl })],
    preferredTransports: ["HTTP+JSON"],
  });
  try {
    return await new ClientFactory(options).createFromUrl(url);
  } catch (error) {
    signal.throwIfAborted();
    throw refusal(error, url);
  }
}

async function cancel(client: Client, taskId: string): Promise<void> {
  if (taskId === "") return;
  try {
    const signal = AbortSignal.timeout(CANCEL_LIMIT_MS);
    await client.cancelTask({ tenant: "", id: taskId, metadata: undefined }, { signal });
  } catch {
    // Ended already, or the agent is gone: either way nothing is left to stop from here.
  }
}

function refusal(error: unknown, url: string): CliError {
  const message = reasonOf(error);
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  if (message.includes("fetch failed")) {
    return new CliError(
      "failed",
      `The agent at ${url} does not answer${cause}.`,
      "See how it is: troupe status. Start it again: troupe restart.",
    );
  }
  return new CliError("failed", `The agent refuses: ${message}${cause}`);
}

function nameOf(state: TaskState): string {
  return taskStateToJSON(state)
    .replace(/^TASK_STATE_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}
