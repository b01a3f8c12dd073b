// Who was meant by `<job>` on the command line: an agent of a deployed job, or any A2A agent by its URL.
import { agentOf, statusOf } from "../jobs/deployed-job.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { JobStatus } from "../targets/target.ts";
import type { AgentAddress } from "./reply-command.ts";

export interface Addressed extends AgentAddress {
  /** The agent's id; the host of an agent that is known by its URL alone. */
  readonly name: string;
  /** Undefined without a job. */
  readonly status: JobStatus | undefined;
}

/** Throws CliError for an unknown name, and for a job that does not run. */
export async function addressed(named: string, agent: string | undefined): Promise<Addressed> {
  if (/^https?:\/\//i.test(named)) {
    if (agent === undefined) return byUrl(named);
    throw new CliError("bad_input", "--agent names an agent of a job; a URL names the agent itself.");
  }
  const status = await statusOf(named);
  requireRunning(status);
  return agentAt(status, agent ?? status.entryPoint);
}

/** An agent of a job by its id. Throws CliError, which suggests the nearest id. */
export function agentAt(status: JobStatus, id: string): Addressed {
  const { url } = agentOf(status, id);
  return { job: status.job, url, agent: id === status.entryPoint ? undefined : id, name: id, status };
}

function byUrl(named: string): Addressed {
  if (!URL.canParse(named))
    throw new CliError("bad_input", `"${named}" is no URL.`, "Example: https://agent.example.org");
  const url = new URL(named);
  if (url.username !== "" || url.password !== "")
    throw new CliError(
      "bad_input",
      "A URL with a password in it is not taken: it would stand in your shell's history.",
    );
  return { job: undefined, url: url.href, agent: undefined, name: url.host, status: undefined };
}

function requireRunning({ job, state, target, processes }: JobStatus): void {
  if (state === "failed") {
    const { lastEnd } = processes.find((own) => own.state === "failed") ?? { lastEnd: null };
    throw new CliError(
      "failed",
      `${job} has failed: ${lastEnd?.reason ?? "it ended at each start"}`,
      `Fix the reason, then: ${troupe`restart ${job}`}`,
    );
  }
  // A Worker has no process: whoever asks it starts it.
  if (state === "stopped" || (state === "dead" && target !== "cloudflare"))
    throw new CliError("failed", `${job} does not run.`, `Start it again: ${troupe`restart ${job}`}`);
}
