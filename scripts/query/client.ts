// The line to one agent: the SDK's own client over HTTP+JSON, and what it means when something goes wrong on it.
import { type Client, ClientFactory, ClientFactoryOptions, RestTransportFactory } from "@a2a-js/sdk/client";

import { retryAfterSeconds } from "#shared/http/retry-after.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { ReplyTo } from "./reply-command.ts";

export interface Line {
  readonly client: Client;
  /** Whether what was thrown says that the connection broke, or never came about; otherwise the agent has answered, with a refusal. */
  readonly isBroken: () => boolean;
  /** Seconds after which an agent that has no room is to be asked again; undefined unless that was its last answer. */
  readonly busyS: () => number | undefined;
}

const CANCEL_LIMIT_MS = 1_500;

/** Reads the agent's card. Throws CliError when the agent does not answer, or the signal's reason. */
export async function connect({ job, url }: ReplyTo, signal: AbortSignal): Promise<Line> {
  let status: number | undefined;
  let busyS: number | undefined;
  const fetchImpl: typeof fetch = async (input, init) => {
    [status, busyS] = [undefined, undefined];
    const response = await fetch(input, { ...init, signal: init?.signal ?? signal });
    ({ status } = response);
    if (status === 503) busyS = retryAfterSeconds(response.headers);
    return response;
  };
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [new RestTransportFactory({ fetchImpl })],
    preferredTransports: ["HTTP+JSON"],
  });
  // One that answered with 200 has broken off; 5xx says that the agent, or what stands before it, is in trouble.
  const isBroken = () => status === undefined || status === 200 || status >= 500;
  try {
    return { client: await new ClientFactory(options).createFromUrl(url), isBroken, busyS: () => busyS };
  } catch (error) {
    signal.throwIfAborted();
    throw refusal(error, { job, url });
  }
}

/** Tells the agent that nobody waits for the task any more; without an id there is none. */
export async function cancel(client: Client, taskId: string): Promise<void> {
  if (taskId === "") return;
  try {
    const signal = AbortSignal.timeout(CANCEL_LIMIT_MS);
    await client.cancelTask({ tenant: "", id: taskId, metadata: undefined }, { signal });
  } catch {
    // Ended already, or the agent is gone: either way nothing is left to stop from here.
  }
}

export function refusal(error: unknown, { job, url }: ReplyTo): CliError {
  const message = reasonOf(error);
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  if (message.includes("fetch failed")) {
    return new CliError(
      "failed",
      `The agent at ${url} does not answer${cause}.`,
      `See how it is: ${troupe`status ${job}`}. Start it again: ${troupe`restart ${job}`}`,
    );
  }
  return new CliError("failed", `The agent refuses: ${message}${cause}`);
}
