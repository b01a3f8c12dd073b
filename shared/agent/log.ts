// Log lines of an agent, of Troupe and of the agent's own code. Several agents may share a process and its log, so each line names its
// agent and, within a turn, its trace.
import type { TraceContext } from "../tracing/trace-context.ts";
import { configIn } from "./config.ts";
import { configOf, type AgentEnv } from "./env.ts";
import { AsyncLocalStorage } from "node:async_hooks";
import { env } from "cloudflare:workers";
import * as z from "zod";

export type Level = "info" | "warn" | "error";

/** `trace` is the span that the line belongs to. */
export function log(env: AgentEnv, level: Level, message: string, trace?: TraceContext): void {
  const ids = trace === undefined ? "" : ` trace=${trace.traceId} span=${trace.spanId}`;
  console[level](`[${configOf(env).id}] ${message}${ids}`);
}

const LEVELS = ["debug", "log", "info", "warn", "error"] as const;
const Self = z.object({ id: z.string() });

const current = new AsyncLocalStorage<TraceContext>();

/** Runs `work`; its log lines belong to this span. */
export function withLogsOf<Result>(span: TraceContext, work: () => Result): Result {
  return current.run(span, work);
}

/** Tags the console lines of this Worker's own code with its agent. Call it once an isolate, before any of that code runs. */
export function tagOwnConsole(): void {
  const id = Self.safeParse(configIn(env)).data?.id;
  if (isTagged || id === undefined) return;
  isTagged = true;
  tagConsole(console, id);
}

let isTagged = false;

/** From now on, lines that are written to `target` begin with the agent's id. */
export function tagConsole(target: Pick<Console, (typeof LEVELS)[number]>, id: string): void {
  const tag = `[${id}] `;
  for (const level of LEVELS) {
    const write = target[level].bind(target);
    target[level] = (...said: readonly unknown[]) => {
      const [first, ...rest] = said;
      // Troupe's own lines are tagged already.
      if (typeof first === "string" && first.startsWith(tag)) return write(...said);
      const span = current.getStore();
      const trace = span === undefined ? [] : [`trace=${span.traceId} span=${span.spanId}`];
      const begun = typeof first === "string" ? [tag + first, ...rest] : [tag.trimEnd(), ...said];
      write(...begun, ...trace);
    };
  }
}
