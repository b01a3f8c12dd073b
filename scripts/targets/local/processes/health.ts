// Asks HTTP servers for their health: waits until one is healthy, and reads what an agent tells about itself.
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { BreakerStatus } from "#shared/resilience/breaker.ts";
import { ownFetch } from "../../../project/own-fetch.ts";

export type Health = "healthy" | "ended" | "late";

interface Wait {
  /** After this time the result is `late`. */
  readonly timeoutMs: number;
  /** Pause between two requests. */
  readonly intervalMs: number;
  /** Time limit of one request. */
  readonly lookMs: number;
  /** Aborts when the server's process has ended. */
  readonly ended: AbortSignal;
  /** Stops the waiting; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Sent along, so that the agent's work at the first request joins a trace. */
  readonly traceparent?: string;
}

/** Asks `GET <url>/health` until it answers 200. The request wakes an agent, which registers itself. */
export async function waitUntilHealthy(url: string, wait: Wait): Promise<Health> {
  const deadline = Date.now() + wait.timeoutMs;
  // The first pauses are short: workerd starts within tens of milliseconds.
  let pauseMs = Math.min(10, wait.intervalMs);
  for (;;) {
    wait.signal.throwIfAborted();
    if (wait.ended.aborted) return "ended";
    const leftMs = deadline - Date.now();
    if (leftMs <= 0) return "late";
    if (await isHealthy(url, Math.min(wait.lookMs, leftMs), wait)) return "healthy";
    await delay(pauseMs);
    pauseMs = Math.min(wait.intervalMs, pauseMs * 2);
  }
}

/** Whether `GET <url>/health` answers 200 within `timeoutMs`. `flush`: the agent sends its waiting spans first. */
export async function isHealthy(
  url: string,
  timeoutMs: number,
  { traceparent, flush = false }: { readonly traceparent?: string | undefined; readonly flush?: boolean } = {},
): Promise<boolean> {
  try {
    const headers: Record<string, string> = traceparent === undefined ? {} : { traceparent };
    const response = await ownFetch(`${url}/health${flush ? "?flush" : ""}`, {
      headers,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    // Not listening, reset or too slow.
    return false;
  }
}

const count = z.int().nonnegative();

/**
 * What the agent at `url` tells about itself; undefined when it is not healthy within `timeoutMs`. An agent without
 * room is healthy.
 */
export async function askHealth(url: string, timeoutMs: number): Promise<AgentHealth | undefined> {
  try {
    const response = await ownFetch(`${url}/health`, { signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    if (response.status === 503) return { breakers: [], turns: null };
    if (response.status !== 200) return undefined;
    return AgentHealth.parse(JSON.parse(text));
  } catch {
    // As above, or the server is no agent.
    return undefined;
  }
}

/** Older releases tell nothing of breakers and turns. */
export const AgentHealth = z.object({
  breakers: z.array(BreakerStatus).catch([]),
  turns: z.nullable(z.object({ limit: count, running: count, waiting: count })).catch(null),
});

export type AgentHealth = z.infer<typeof AgentHealth>;
