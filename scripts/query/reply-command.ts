// The command that resumes a task later, or from another terminal.
import type { Approval } from "#shared/loop/log/approval.ts";

import { troupe, word } from "../terminal/hint.ts";

/** The agent that has the task. */
export interface AgentAddress {
  /** Undefined for an agent that is known by its URL alone. */
  readonly job: string | undefined;
  /** Origin of the agent, or the URL of its card. */
  readonly url: string;
  /** The agent's id, where it is not the job's entry point. */
  readonly agent?: string | undefined;
}

export function commandFor({ job, url, agent }: AgentAddress, taskId: string): string {
  const asked = job ?? url;
  return agent === undefined
    ? troupe`query ${asked} --task ${taskId}`
    : troupe`query ${asked} --agent ${agent} --task ${taskId}`;
}

/** How to answer `approvals`, at least one, from a command line. */
export function howToAnswer(address: AgentAddress, taskId: string, approvals: readonly Approval[]): string {
  const [first, ...more] = approvals.map(({ id }) => word(id));
  const command = commandFor(address, taskId);
  if (more.length === 0) return `Answer: ${command} --allow ${first ?? ""} (or --deny ${first ?? ""})`;
  const each = [`--allow ${first ?? ""}`, ...more.map((id) => `--deny ${id}`)].join(" ");
  return `Answer: ${command} ${each} (each --allow or --deny; "all" stands for all others)`;
}
