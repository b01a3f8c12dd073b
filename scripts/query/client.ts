// The connection to one agent: the SDK's client over HTTP+JSON, for others also over JSON-RPC and A2A 0.3, and the meaning of its
// failures.
import { TaskState } from "@a2a-js/sdk";
import {
  type Client,
  ClientFactory,
  ClientFactoryOptions,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from "@a2a-js/sdk/client";
import { A2AError } from "@a2a-js/sdk/errors";

import { cardAddress } from "#shared/a2a/remote/card.ts";
import { retryAfterSeconds } from "#shared/http/retry-after.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { troupeHome } from "../project/project.ts";
import { commandLineFetch } from "../targets/command-line.ts";
import type { AgentAddress } from "./reply-command.ts";

export interface Connection {
  readonly client: Client;
  /** Whether this failure, the last one, was a broken connection; otherwise the agent has answered with a refusal. */
  readonly isBroken: (failure: unknown) => boolean;
  /** Seconds to wait where the last answer said that the agent has no room; undefined otherwise. */
  readonly busyS: () => number | undefined;
}

/** Whoever interrupts waits no longer for the agent. */
export const CANCEL_LIMIT_MS = 1_500;

/** Reads the agent's card. Throws CliError when the agent does not answer, or the signal's reason. */
export async function connect(address: AgentAddress, signal: AbortSignal): Promise<Connection> {
  let status: number | undefined;
  let busyS: number | undefined;
  const send =
    address.job === undefined
      ? keyFetch(address.url, process.env[AGENT_KEY])
      : await commandLineFetch(troupeHome(), address.job, address.url);
  const fetchImpl: typeof fetch = async (input, init) => {
    [status, busyS] = [undefined, undefined];
    const response = await send(input, {
      ...init,
      signal: init?.signal ?? signal,
    });
    ({ status } = response);
    if (status === 503 || status === 429) busyS = retryAfterSeconds(response.headers);
    return response;
  };
  const legacyCompat = { enabled: true };
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [
      new RestTransportFactory({ fetchImpl, legacyCompat }),
      new JsonRpcTransportFactory({ fetchImpl, legacyCompat }),
    ],
    cardResolver: new DefaultAgentCardResolver({ fetchImpl, legacyCompat }),
    // Other agents say in their card what they prefer.
    ...(address.job === undefined ? {} : { preferredTransports: ["HTTP+JSON"] }),
  });
  // After a 200 the stream broke off, unless the agent wrote an error into it; 5xx means that the agent, or a proxy before it, is in
  // trouble.
  const isBroken = (failure: unknown) =>
    status === undefined || status >= 500 || (status === 200 && !(failure instanceof A2AError));
  const url = cardAddress(address.url);
  try {
    return { client: await new ClientFactory(options).createFromUrl(url, ""), isBroken, busyS: () => busyS };
  } catch (error) {
    signal.throwIfAborted();
    throw refusal(error, address);
  }
}

/** The key for an agent that is named by its URL. */
const AGENT_KEY = "TROUPE_AGENT_KEY";

/** `fetch` for an agent of somebody else: it gets the key that the user has for it, and no address that its card names gets it. */
export function keyFetch(url: string, key: string | undefined): typeof fetch {
  const { origin } = new URL(url);
  return async (input, init = {}) => {
    const headers = new Headers(init.headers);
    const isOwn = new URL(input instanceof Request ? input.url : input).origin === origin;
    if (key && isOwn) headers.set("authorization", `Bearer ${key}`);
    // Where it is redirected to another origin, fetch takes the key away.
    return fetch(input, { ...init, headers });
  };
}

/** Cancels the task; does nothing without an id. Resolves to whether the agent says that it is canceled. Never throws. */
export async function cancel(client: Client, taskId: string): Promise<boolean> {
  if (taskId === "") return false;
  try {
    const signal = AbortSignal.timeout(CANCEL_LIMIT_MS);
    const task = await client.cancelTask({ tenant: "", id: taskId, metadata: undefined }, { signal });
    return task.status?.state === TaskState.TASK_STATE_CANCELED;
  } catch {
    // The task has ended, or the agent is gone.
    return false;
  }
}

/** Nobody answers at the agent's address. */
export class UnreachableError extends CliError {}

export function refusal(error: unknown, { job, url }: AgentAddress): CliError {
  const message = reasonOf(error);
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  if (message.includes("fetch failed")) {
    return new UnreachableError(
      "failed",
      `The agent at ${url} does not answer${cause}.`,
      job === undefined ? "" : `See its status: ${troupe`status ${job}`}. Start it again: ${troupe`restart ${job}`}`,
    );
  }
  return new CliError("failed", `The agent refused: ${message}${cause}`);
}
