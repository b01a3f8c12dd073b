// Everything that one turn of a Session needs: the agent's tools and rules, the thread's log, the peers, the query's account.
import { approvalText } from "../approvals/binding.ts";
import { runHooks } from "../../../loop/hooks/run-hooks.ts";
import { baseHookInput } from "../../../loop/hooks/input.ts";
import type { HookOutcome } from "../../../loop/hooks/outcome.ts";
import type { TurnHook } from "../../../loop/hooks/turn-hook.ts";
import type { Step } from "../../../loop/log/step.ts";
import type { Turn, TurnResult } from "../../../loop/turn.ts";
import { runTurn } from "../../../loop/run-turn.ts";
import { untilAborted } from "../../../resilience/until-aborted.ts";
import { mac } from "../../../a2a/token.ts";
import { Stopwatch } from "../../../resilience/stopwatch.ts";
import type { TraceContext } from "../../../tracing/trace-context.ts";
import { stackOf } from "../../../text/reason.ts";
import type { Tracer } from "../../../tracing/tracer.ts";
import { addUsage, NO_USAGE, type Usage } from "../../../budget/usage.ts";
import type { AgentDefinition } from "../../definition.ts";
import { configOf, type AgentEnv } from "../../env.ts";
import { modelOf } from "../../model.ts";
import { log as logLine, withLogsOf } from "../../log.ts";
import { AgentPeers } from "../../peers/agent-peers.ts";
import { systemPrompt } from "./prompt.ts";
import { retellQuestions } from "../../peers/question-span.ts";
import { toolbox } from "./toolbox.ts";
import { accountOf } from "./account.ts";
import type { LiveTask } from "../tasks/live-task.ts";
import type { Slot } from "../../slots.ts";
import type { SessionStore } from "../tasks/store.ts";
import type { Asker } from "../../caller.ts";

/** Characters of keys and ids that are made of a signature. */
const KEY_CHARS = 22;
const APPROVAL_CHARS = 12;

export interface TurnParts {
  readonly env: AgentEnv;
  readonly definition: AgentDefinition;
  readonly store: SessionStore;
  readonly tracer: Tracer;
  readonly live: LiveTask;
  readonly slot: Slot;
  readonly asker: Asker;
  readonly span: { readonly task: TraceContext; readonly turn: TraceContext };
  /** For work that outlives the turn. */
  readonly afterwards: (work: Promise<unknown>, what: string) => void;
}

/** Runs the turn of a task, or goes on with it. */
export async function runTurnOf(parts: TurnParts): Promise<TurnResult> {
  const time = Stopwatch.start();
  try {
    return await withLogsOf(parts.span.turn, async () => runTurn(await turnOf(parts, time)));
  } finally {
    time.stop();
  }
}

async function turnOf(parts: TurnParts, time: Stopwatch): Promise<Turn> {
  const { env, definition, store, tracer, live, slot, asker, span, afterwards } = parts;
  const config = configOf(env);
  const { row, signal } = live;
  const { contextId, life } = row;
  const taskId = live.id;
  const model = modelOf(env);
  const earlier = row.trace?.earlierTurnSpanId;
  const { steps: log, begin, workedMs } = store.turnLog(row);
  const isQuery = asker.chain.length === 0;
  const queryWallMs = isQuery ? config.queryBudget?.maxWallMs : undefined;
  const append = (step: Step) => {
    store.append(row, step, workedMs + time.ms);
    log.push(step);
  };
  const hook = hookOf(env, definition, { contextId, taskId }, span.turn);
  const trace = { tracer, parent: span.turn, task: span.task, agent: config.id, contextId };
  const peerUsage = new Map<string, Usage>();
  const peers = new AgentPeers(env, {
    contextId,
    taskId,
    asker,
    trace,
    earlierTurn: earlier === undefined ? undefined : { traceId: row.traceId, spanId: earlier },
    append,
    log,
    hook,
    whileAway: (work, askSignal) => slot.without(work, askSignal),
    sessionSteps: () => store.allSteps(),
    onUsage: (toolUseId, usage) => peerUsage.set(toolUseId, addUsage(peerUsage.get(toolUseId) ?? NO_USAGE, usage)),
    waitUntil: (work) => afterwards(work, "telling a peer to cancel its task"),
  });
  if (live.isUnheard) retellQuestions(trace, log);
  live.isUnheard = false;
  const account = accountOf(env, taskId, asker, life.n);
  const { config: ownConfig, ...box } = await untilAborted(toolbox(env, definition), signal);
  return {
    ...box,
    model,
    system: systemPrompt(definition.instructions, asker.chain.at(-1)),
    permissions: config.permissions,
    canUseTool: definition.canUseTool,
    hook,
    policy: config.approvals.policy,
    approvalMs: config.approvals.expiresMs,
    approvalId: (call) =>
      `ap_${mac(env.TROUPE_KEY, approvalText({ taskId, agent: config.id, ...call }), APPROVAL_CHARS)}`,
    idempotencyKey: (toolUseId) => mac(env.TROUPE_KEY, JSON.stringify(["call", taskId, toolUseId]), KEY_CHARS),
    peerUsage: (toolUseId) => peerUsage.get(toolUseId),
    countToolCalls: async (id, count, callSignal) => account?.countToolCalls(id, count, callSignal),
    budget: config.budget,
    queryWallMs,
    workedMs,
    account,
    sessionStart: begin === 0 ? "startup" : log[begin - 1]?.kind === "session_end" ? "resume" : undefined,
    isFromPeer: !isQuery,
    log,
    begin,
    life: life.n,
    append,
    report: (failure, about) => logLine(env, "warn", failure, about),
    call: { agent: config.id, config: ownConfig, env: { ...env }, contextId, taskId, peers },
    trace,
    emit: (event) => {
      if (event.type === "model_start") live.restartAnswer();
      // What has to fit a schema is an answer only once it does.
      if (event.type === "text_delta" && !definition.outputSchema) live.appendAnswer(event.text);
    },
    signal,
  };
}

const NOTHING_SAID: HookOutcome = { systemMessages: [] };

/** Runs the agent's hooks of an event; one that fails, and what they say to people, is worth a line in the log. */
function hookOf(
  env: AgentEnv,
  definition: AgentDefinition,
  ids: { readonly contextId: string; readonly taskId: string },
  trace?: TraceContext,
): TurnHook {
  const config = configOf(env);
  const base = baseHookInput({ ...ids, agent: config.id, mode: config.permissions.mode });
  return async (input, signal, toolUseId) => {
    signal.throwIfAborted();
    if (!definition.hooks?.[input.hook_event_name]) return NOTHING_SAID;
    const outcome = await runHooks(
      definition.hooks ?? {},
      { ...base, ...input },
      signal,
      toolUseId,
      ({ reason }, thrown) => logLine(env, "warn", `${reason}\n${stackOf(thrown)}`, trace),
    );
    for (const message of outcome.systemMessages) logLine(env, "info", `${input.hook_event_name}: ${message}`, trace);
    return outcome;
  };
}

export async function tellSessionEnd(
  env: AgentEnv,
  definition: AgentDefinition,
  taskId: string,
  contextId: string,
): Promise<void> {
  const signal = new AbortController().signal;
  await hookOf(env, definition, { contextId, taskId })({ hook_event_name: "SessionEnd", reason: "other" }, signal);
}
