// Log lines of an agent. Several agents may share a process and its log: the prefix says whose line it is.
import type { TraceContext } from "../tracing/trace-context.ts";
import { configOf, type AgentEnv } from "./env.ts";
import { AsyncLocalStorage } from "node:async_hooks";
import { env } from "cloudflare:workers";
import * as z from "zod";

export type Level = "info" | "warn" | "error";

/** `trace` says to which span the line belongs. */
export function log(env: AgentEnv, level: Level, message: string, trace?: TraceContext): void {
  const ids = trace === undefined ? "" : ` trace=${trace.traceId} span=${trace.spanId}`;
  console[level](`[${configOf(env).id}] ${message}${ids}`);
}

// What an agent's own code writes with console.* says which agent it is from and, within a turn, which trace it belongs to: several
// agents may share a process and its log.

const LEVELS = ["debug", "log", "info", "warn", "error"] as const;
const Self = z.object({ AGENT: z.object({ id: z.string() }) });

const current = new AsyncLocalStorage<TraceContext>();

/** Runs `work`, whose lines in the log belong to this span. */
export function withLogsOf<Result>(span: TraceContext, work: () => Result): Result {
  return current.run(span, work);
}

/** Tags the lines of this Worker's own code, whose agent its bindings name. Once an isolate, before any of that code runs. */
export function tagOwnConsole(): void {
  const id = Self.safeParse(env).data?.AGENT.id;
  if (isTagged || id === undefined) return;
  isTagged = true;
  tagConsole(console, id);
}

let isTagged = false;

/** From now on what is written to `target` begins with the agent's id. */
export function tagConsole(target: Pick<Console, (typeof LEVELS)[number]>, id: string): void {
  const tag = `[${id}] `;
  for (const level of LEVELS) {
    const write = target[level].bind(target);
    target[level] = (...said: readonly unknown[]) => {
      const [first, ...rest] = said;
      // Lines of Troupe's own have their tags.
      if (typeof first === "string" && first.startsWith(tag)) return write(...said);
      const span = current.getStore();
      const trace = span === undefined ? [] : [`trace=${span.traceId} span=${span.spanId}`];
      const begun = typeof first === "string" ? [tag + first, ...rest] : [tag.trimEnd(), ...said];
      write(...begun, ...trace);
    };
  }
}
