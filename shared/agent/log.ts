// Log lines of an agent. Several agents may share a process and its log: the prefix says whose line it is.
import type { TraceContext } from "../tracing/trace-context.ts";
import { configOf, type AgentEnv } from "./env.ts";

export type Level = "info" | "warn" | "error";

/** `trace` says to which span the line belongs. */
export function log(env: AgentEnv, level: Level, message: string, trace?: TraceContext): void {
  const ids = trace === undefined ? "" : ` trace=${trace.traceId} span=${trace.spanId}`;
  console[level](`[${configOf(env).id}] ${message}${ids}`);
}
