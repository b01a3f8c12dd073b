// Log lines of an agent. Several agents may share a process and its log: the prefix says whose line it is.
import { configOf, type AgentEnv } from "./environment.ts";

export type Level = "info" | "warn" | "error";

export function log(env: AgentEnv, level: Level, message: string): void {
  console[level](`[${configOf(env).id}] ${message}`);
}
