// What tools had done when a question was interrupted: a canceled task takes nothing back.
import { setTimeout as delay } from "node:timers/promises";

import { APPROVAL, ERROR, GEN_AI, GENERAL, OPERATION, RESOURCE, TROUPE } from "#shared/tracing/names.ts";

import { deployedTarget } from "../../targets/choose-target.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import { cutTo, oneLine } from "../../terminal/terminal-text.ts";
import { LiveTrace } from "../../traces/store/live-trace.ts";
import { plainAttributes, type ResourceSpans } from "../../traces/store/otlp-page.ts";
import type { TraceStore } from "../../traces/store/store.ts";

/** The spans of a canceled task arrive within this time. */
const ARRIVAL_MS = 2_000;
const LOOK_MS = 100;
const MAX_INPUT = 120;
/** Tools that only carry words between agents. */
const BETWEEN_AGENTS: ReadonlySet<string> = new Set(["query_agent", "find_agents"]);

export interface ToolRun {
  readonly agent: string;
  readonly tool: string;
  /** As JSON; empty where content is not recorded. */
  readonly input: string;
  readonly readOnly: boolean;
  /** `broken`: it was canceled, or its process died, in the middle of it. */
  readonly how: "ran" | "failed" | "broken";
}

/** Sentences for the person who interrupted; `traceId` is null where the agent told none. */
export async function whatRan(job: string | undefined, traceId: string | null, io: Io): Promise<string> {
  const more = traceId === null ? "" : ` ${troupe`traces show ${traceId.slice(0, 8)}`}`;
  const unknown = `Which tools had run is not known${more === "" ? "." : `; this may tell:${more}`}`;
  if (job === undefined || traceId === null) return unknown;
  try {
    const target = await deployedTarget();
    const signal = AbortSignal.timeout(2 * ARRIVAL_MS);
    const runs = await target.withTraces([job], { ...io, note: () => {}, signal }, async ([store]) =>
      store === undefined ? undefined : toolRuns(store, traceId, signal),
    );
    return runs === undefined ? unknown : inWords(runs);
  } catch {
    return unknown;
  }
}

/** Undefined where the trace did not come. */
async function toolRuns(store: TraceStore, traceId: string, signal: AbortSignal): Promise<ToolRun[] | undefined> {
  const trace = new LiveTrace();
  const deadline = Date.now() + ARRIVAL_MS;
  for (;;) {
    trace.apply(await store.changes(traceId, trace.seq));
    const { summary } = trace;
    if (summary !== undefined && summary.status !== "open" && summary.openSpans === 0) break;
    if (Date.now() > deadline) break;
    await delay(LOOK_MS, undefined, { signal });
  }
  if (trace.summary === undefined) return undefined;
  const runs: ToolRun[] = [];
  for await (const { resourceSpans } of store.otlp(traceId)) runs.push(...runsIn(resourceSpans));
  return runs;
}

function runsIn(resourceSpans: readonly ResourceSpans[]): ToolRun[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const agent = text(plainAttributes(resource?.attributes)[RESOURCE.serviceName]);
    return scopeSpans.flatMap(({ spans }) =>
      spans.flatMap(({ attributes, endTimeUnixNano }) => {
        const values = plainAttributes(attributes);
        const tool = text(values[GEN_AI.toolName]);
        // A call that waits for an approval has not run: it runs under another span.
        if (values[GEN_AI.operation] !== OPERATION.executeTool || values[APPROVAL.id] !== undefined) return [];
        if (BETWEEN_AGENTS.has(tool)) return [];
        const error = values[GENERAL.errorType];
        const isOpen = (endTimeUnixNano ?? 0).toString() === "0";
        const isBroken = isOpen || error === ERROR.canceled || error === ERROR.agentLost || error === ERROR.timeout;
        const how = isBroken ? "broken" : error === undefined ? "ran" : "failed";
        const readOnly = values[TROUPE.toolReadOnly] === true;
        return [{ agent, tool, input: text(values[GEN_AI.toolArguments]), readOnly, how } as const];
      }),
    );
  });
}

/** Tools that only read are counted; others are named, with what they were called with. */
export function inWords(runs: readonly ToolRun[]): string {
  const acting = runs.filter(({ readOnly }) => !readOnly);
  const reading = runs.length - acting.length;
  const parts = [
    list(acting, "ran", "Done before that, and not undone:"),
    list(acting, "broken", "Broken off, so it may have had its effect:"),
    list(acting, "failed", "Failed before that:"),
    acting.length === 0 ? "No tool had run that changes anything." : "",
    reading === 0 ? "" : `${reading} ${reading === 1 ? "tool call" : "tool calls"} only read.`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function list(runs: readonly ToolRun[], how: ToolRun["how"], title: string): string {
  const rows = runs
    .filter((run) => run.how === how)
    .map(({ agent, tool, input }) =>
      `  ${oneLine(agent)}: ${oneLine(tool)} ${cutTo(oneLine(input), MAX_INPUT)}`.trimEnd(),
    );
  return rows.length === 0 ? "" : [title, ...rows].join("\n");
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
