// Approvals that wait for an answer, as the agents of a job tell them.
import { Role, type Task, TaskState } from "@a2a-js/sdk";

import { type Approval, ApprovalsAsked } from "#shared/loop/log/approval.ts";
import { textOfParts } from "#shared/a2a/message.ts";

import type { JobStatus } from "../targets/target.ts";
import { connect } from "./client.ts";
import type { AgentAddress } from "./reply-command.ts";

const TIMEOUT_MS = 3_000;
const MOST_TASKS = 100;

export interface WaitingTask extends AgentAddress {
  readonly job: string;
  /** The agent's id. */
  readonly name: string;
  readonly taskId: string;
  readonly question: string;
  readonly approvals: readonly Approval[];
}

/** Of all agents that run and answer: tasks that a person began. What an agent asks for another one is told by the first of them. */
export async function waitingTasks(status: JobStatus, signal: AbortSignal): Promise<WaitingTask[]> {
  const running = status.agents.filter(({ pid }) => pid !== null);
  const found = await Promise.all(
    running.map(async ({ id, url }) => {
      const agent = id === status.entryPoint ? undefined : id;
      const address = { job: status.job, url, agent, name: id };
      const tasks = await waitingAt(address, signal).catch(() => []);
      return tasks.flatMap((task) => waitingTask(address, task));
    }),
  );
  signal.throwIfAborted();
  return found.flat();
}

async function waitingAt(address: AgentAddress, outer: AbortSignal): Promise<readonly Task[]> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(TIMEOUT_MS)]);
  const { client } = await connect(address, signal);
  const { tasks } = await client.listTasks(
    {
      tenant: "",
      contextId: "",
      status: TaskState.TASK_STATE_INPUT_REQUIRED,
      pageSize: MOST_TASKS,
      pageToken: "",
      historyLength: MOST_TASKS,
      statusTimestampAfter: undefined,
    },
    { signal },
  );
  return tasks;
}

function waitingTask(
  address: AgentAddress & { readonly job: string; readonly name: string },
  { id, contextId, status, history }: Task,
): WaitingTask[] {
  // Agents open threads of their own at the agents that they ask.
  if (contextId.includes("~")) return [];
  const now = Date.now();
  const approvals = (status?.message?.parts ?? [])
    .flatMap(({ content }) =>
      content?.$case === "data" ? (ApprovalsAsked.safeParse(content.value).data?.approvals ?? []) : [],
    )
    .filter(({ expiresAt }) => expiresAt > now);
  if (approvals.length === 0) return [];
  const asked = history.find(({ role }) => role === Role.ROLE_USER);
  return [{ ...address, taskId: id, question: textOfParts(asked?.parts), approvals }];
}
