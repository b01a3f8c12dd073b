// Waiting until an HTTP server says that it is well, and what else an agent's health tells.
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { BreakerStatus } from "#shared/resilience/breaker.ts";

export type Health = "healthy" | "ended" | "late";

interface Wait {
  /** Time until the answer is `late`. */
  readonly timeoutMs: number;
  /** Pause between two looks. */
  readonly intervalMs: number;
  /** Time one look may take. */
  readonly lookMs: number;
  /** Aborts when the server's process has ended. */
  readonly ended: AbortSignal;
  /** Aborts when nobody wants to know any more; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Sent along, so that what an agent does at the first look joins a trace. */
  readonly traceparent?: string;
}

/** Asks `GET <url>/health` until it answers 200. The agent wakes by it, and registers itself. */
export async function waitUntilHealthy(url: string, wait: Wait): Promise<Health> {
  const deadline = Date.now() + wait.timeoutMs;
  // The first looks come quickly: workerd needs tens of milliseconds, and nobody should wait longer than that.
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

/** One look: whether `GET <url>/health` answers 200 within `timeoutMs`. `flush`: an agent sends the spans that wait before it answers. */
export async function isHealthy(
  url: string,
  timeoutMs: number,
  { traceparent, flush = false }: { readonly traceparent?: string | undefined; readonly flush?: boolean } = {},
): Promise<boolean> {
  try {
    const headers: Record<string, string> = traceparent === undefined ? {} : { traceparent };
    const response = await fetch(`${url}/health${flush ? "?flush" : ""}`, {
      headers,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    // Not listening, reset or too slow: not healthy, for whatever reason.
    return false;
  }
}

const count = z.int().nonnegative();

/** What the agent at `url` says of itself; undefined when it is not healthy within `timeoutMs`. One without room is healthy. */
export async function askHealth(url: string, timeoutMs: number): Promise<AgentHealth | undefined> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    if (response.status === 503) return { breakers: [], turns: null };
    if (response.status !== 200) return undefined;
    return AgentHealth.parse(JSON.parse(text));
  } catch {
    // As above, or what answers there is no agent.
    return undefined;
  }
}

/** Releases from before there were breakers, or slots for turns, say nothing of them. */
export const AgentHealth = z.object({
  breakers: z.array(BreakerStatus).catch([]),
  turns: z.nullable(z.object({ limit: count, running: count, waiting: count })).catch(null),
});

export type AgentHealth = z.infer<typeof AgentHealth>;
