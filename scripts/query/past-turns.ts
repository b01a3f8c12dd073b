// What an agent remembers of a session: its questions and answers, read with ListTasks. Agents that do not list tasks remember nothing
// as far as can be seen.
import { Role, type Task, TaskState } from "@a2a-js/sdk";
import type { Client } from "@a2a-js/sdk/client";

import { nameOfState, textOfParts } from "#shared/a2a/message.ts";
import { ArtifactTexts } from "#shared/a2a/artifact-texts.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { connect } from "./client.ts";
import type { AgentAddress } from "./reply-command.ts";

/** Older turns are not read. */
const MOST_TURNS = 100;
const TIMEOUT_MS = 10_000;

export interface PastTurn {
  readonly taskId: string;
  readonly question: string;
  readonly answer: string;
  /** As A2A names it, without prefix. */
  readonly state: string;
  /** ISO 8601; empty where the agent does not tell. */
  readonly at: string;
}

/** The newest turns of a session, oldest first. Undefined where the agent cannot list them. */
export async function pastTurns(
  address: AgentAddress,
  session: string,
  signal: AbortSignal,
  most = MOST_TURNS,
): Promise<PastTurn[] | undefined> {
  const { client } = await connect(address, signal);
  const tasks = await tasksOf(client, session, most, signal);
  return tasks?.map(turnOf).toReversed();
}

/** Throws CliError where the agent knows no session of this id: to ask in it would silently begin a new one. */
export async function requireSession(address: AgentAddress, session: string, signal: AbortSignal): Promise<void> {
  const turns = await pastTurns(address, session, signal, 1);
  if (turns === undefined || turns.length > 0) return;
  const asked = address.job ?? address.url;
  throw new CliError(
    "bad_input",
    `${address.agent ?? asked} knows no session "${session}".`,
    `Leave --session out to begin a new one: ${troupe`query ${asked} "…"`}`,
  );
}

async function tasksOf(client: Client, contextId: string, pageSize: number, signal: AbortSignal) {
  try {
    const { tasks } = await client.listTasks(
      {
        tenant: "",
        contextId,
        status: TaskState.TASK_STATE_UNSPECIFIED,
        pageSize,
        pageToken: "",
        historyLength: MOST_TURNS,
        statusTimestampAfter: undefined,
        includeArtifacts: true,
      },
      { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) },
    );
    // An agent may ignore the filter.
    return tasks.filter((task) => task.contextId === contextId);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function turnOf({ id, history, artifacts, status }: Task): PastTurn {
  const texts = new ArtifactTexts(2);
  texts.set(artifacts);
  const asked = history.find(({ role }) => role === Role.ROLE_USER);
  return {
    taskId: id,
    question: textOfParts(asked?.parts),
    answer: texts.text,
    state: nameOfState(status?.state ?? TaskState.TASK_STATE_UNSPECIFIED),
    at: status?.timestamp ?? "",
  };
}
