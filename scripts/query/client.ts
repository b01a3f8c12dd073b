// The connection to one agent: the SDK's client over HTTP+JSON, and the meaning of its failures.
import { type Client, ClientFactory, ClientFactoryOptions, RestTransportFactory } from "@a2a-js/sdk/client";

import { retryAfterSeconds } from "#shared/http/retry-after.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { troupeHome } from "../project/project.ts";
import { commandLineFetch } from "../targets/local/state/command-line.ts";
import type { AgentAddress } from "./reply-command.ts";

export interface Connection {
  readonly client: Client;
  /** Whether the last failure was a broken connection; otherwise the agent has answered with a refusal. */
  readonly isBroken: () => boolean;
  /** Seconds to wait where the last answer said that the agent has no room; undefined otherwise. */
  readonly busyS: () => number | undefined;
}

const CANCEL_LIMIT_MS = 1_500;

/** Reads the agent's card. Throws CliError when the agent does not answer, or the signal's reason. */
export async function connect({ job, url }: AgentAddress, signal: AbortSignal): Promise<Connection> {
  let status: number | undefined;
  let busyS: number | undefined;
  const signing = await commandLineFetch(troupeHome(), job, url);
  const fetchImpl: typeof fetch = async (input, init) => {
    [status, busyS] = [undefined, undefined];
    const response = await signing(input, { ...init, signal: init?.signal ?? signal });
    ({ status } = response);
    if (status === 503 || status === 429) busyS = retryAfterSeconds(response.headers);
    return response;
  };
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [new RestTransportFactory({ fetchImpl })],
    preferredTransports: ["HTTP+JSON"],
  });
  // After a 200 the stream broke off; 5xx means that the agent, or a proxy before it, is in trouble.
  const isBroken = () => status === undefined || status === 200 || status >= 500;
  try {
    return { client: await new ClientFactory(options).createFromUrl(url), isBroken, busyS: () => busyS };
  } catch (error) {
    signal.throwIfAborted();
    throw refusal(error, { job, url });
  }
}

/** Cancels the task; does nothing without an id. Never throws. */
export async function cancel(client: Client, taskId: string): Promise<void> {
  if (taskId === "") return;
  try {
    const signal = AbortSignal.timeout(CANCEL_LIMIT_MS);
    await client.cancelTask({ tenant: "", id: taskId, metadata: undefined }, { signal });
  } catch {
    // The task has ended, or the agent is gone: nothing is left to cancel.
  }
}

export function refusal(error: unknown, { job, url }: AgentAddress): CliError {
  const message = reasonOf(error);
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  if (message.includes("fetch failed")) {
    return new CliError(
      "failed",
      `The agent at ${url} does not answer${cause}.`,
      `See its status: ${troupe`status ${job}`}. Start it again: ${troupe`restart ${job}`}`,
    );
  }
  return new CliError("failed", `The agent refused: ${message}${cause}`);
}
