// Builds the turns of a Session, and runs them: the agent's tools and rules, the thread's log, the peers, the query's account.
import type { Artifact } from "@a2a-js/sdk";
import { approvalText } from "../approvals/binding.ts";
import { runHooks } from "../../../loop/hooks/run-hooks.ts";
import { baseHookInput } from "../../../loop/hooks/input.ts";
import type { HookOutcome } from "../../../loop/hooks/outcome.ts";
import type { LoopEvent } from "../../../loop/event.ts";
import type { TurnHook } from "../../../loop/hooks/turn-hook.ts";
import { TurnLog } from "../../../loop/log/turn-log.ts";
import type { Turn, TurnResult } from "../../../loop/turn.ts";
import { runTurn } from "../../../loop/run-turn.ts";
import { untilAborted } from "../../../resilience/until-aborted.ts";
import { mac } from "../../../a2a/token.ts";
import { Stopwatch } from "../../../resilience/stopwatch.ts";
import type { TraceContext } from "../../../tracing/trace-context.ts";
import { stackOf } from "../../../text/reason.ts";
import { addUsage, NO_USAGE, type Usage } from "../../../budget/usage.ts";
import type { AgentDefinition } from "../../definition.ts";
import { configOf, type AgentEnv } from "../../env.ts";
import { modelOf } from "../../model.ts";
import { log as logLine, withLogsOf } from "../../log.ts";
import { AgentPeers } from "../../peers/agent-peers.ts";
import { systemPrompt } from "./prompt.ts";
import { retellQuestions } from "../../peers/question-span.ts";
import { toolbox } from "../../toolbox.ts";
import { codeRun } from "./code.ts";
import { artifactStep, wholeArtifact } from "../tasks/artifacts.ts";
import { accountOf, closeAccount } from "./account.ts";
import type { Runner } from "./turns.ts";
import type { LiveTask } from "../tasks/live-task.ts";
import { slotFor, type Slot } from "../../slots.ts";
import type { TaskRow } from "../tasks/task-row.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { Asker } from "../../caller.ts";

/** Characters of keys and ids, which are signatures. */
const KEY_CHARS = 22;
const APPROVAL_CHARS = 12;

/** Runs the turns of a Session's tasks. */
export class TurnRunner implements Runner {
  readonly #tasks: Tasks;
  readonly #storage: Pick<DurableObjectStorage, "sync">;

  constructor(tasks: Tasks, storage: Pick<DurableObjectStorage, "sync">) {
    this.#tasks = tasks;
    this.#storage = storage;
  }

  async slot(live: LiveTask): Promise<Slot> {
    return slotFor(live, this.#tasks.env, this.#tasks.session);
  }

  async run(live: LiveTask, slot: Slot): Promise<TurnResult> {
    const { env } = this.#tasks;
    const { asker, trace, life } = live.row;
    const span = this.#tasks.spanOf(live);
    if (!span || !asker || !trace) throw new Error(`Task ${live.id} was started without its asker.`);
    // The count of lives is on disk before the turn runs: a turn that ends its process each time has to be given up.
    if (life.n > 1) await this.#storage.sync();
    const turnSpan = span.beginTurn(modelOf(env).name, trace);
    const time = Stopwatch.start();
    try {
      const spans = { task: span.context, turn: turnSpan };
      const result = await withLogsOf(turnSpan, async () =>
        runTurn(await buildTurn(this.#tasks, { live, slot, asker, spans, time })),
      );
      if (result.subtype === "suspended") span.suspendTurn();
      else span.endTurn(result);
      return result;
    } catch (error) {
      // The turn may not have settled what earlier lives left at the account, and no other life follows.
      closeAccount(this.#tasks, live.row);
      throw error;
    } finally {
      time.stop();
    }
  }
}

interface TurnParts {
  readonly live: LiveTask;
  readonly slot: Slot;
  readonly asker: Asker;
  readonly spans: { readonly task: TraceContext; readonly turn: TraceContext };
  /** Milliseconds of work of this life. */
  readonly time: Stopwatch;
}

async function buildTurn(tasks: Tasks, { live, slot, asker, spans, time }: TurnParts): Promise<Turn> {
  const { env, definition, store, tracer } = tasks;
  const config = configOf(env);
  const { row, signal } = live;
  const { contextId, life } = row;
  const taskId = live.id;
  const model = modelOf(env);
  const earlier = row.trace?.earlierTurnSpanId;
  const stored = store.threadLog(row);
  const { begin, workedMs } = stored;
  const log = new TurnLog(stored.steps, {
    begin,
    life: life.n,
    write: (step) => store.append(row, step, workedMs + time.ms),
    writeLater: (step) => tasks.appendLater(row, step, workedMs + time.ms),
  });
  const isQuery = asker.chain.length === 0;
  const queryWallMs = isQuery ? config.queryBudget?.maxWallMs : undefined;
  const hook = hookOf(env, definition, { contextId, taskId }, spans.turn);
  const trace = { tracer, parent: spans.turn, task: spans.task, agent: config.id, contextId };
  const peerUsage = new Map<string, Usage>();
  const peers = new AgentPeers(env, {
    contextId,
    taskId,
    asker,
    trace,
    earlierTurn: earlier === undefined ? undefined : { traceId: row.traceId, spanId: earlier },
    log,
    hook,
    whileAway: (work, askSignal) => slot.without(work, askSignal),
    earlierThreads: () => (stored.isWhole ? [] : store.peerThreads(contextId)),
    sessionSteps: () => store.foundSteps(),
    onUsage: (toolUseId, usage) => peerUsage.set(toolUseId, addUsage(peerUsage.get(toolUseId) ?? NO_USAGE, usage)),
    waitUntil: (work) => tasks.afterwards(work, "telling a peer to cancel its task", spans.task),
  });
  if (live.isUnheard) retellQuestions(trace, log.steps);
  live.isUnheard = false;
  const { config: ownConfig, ...box } = await untilAborted(toolbox(env, definition), signal);
  const call = { agent: config.id, config: ownConfig, env: { ...env }, contextId, taskId };
  const emit = (event: LoopEvent) => {
    if (event.type === "model_start") live.restartAnswer();
    if (event.type === "tool_start") live.announce();
    // An answer with a schema is published only once it fits.
    if (event.type === "text_delta" && !definition.outputSchema) live.appendAnswer(event.text);
  };
  const keep = (artifact: Artifact) => {
    // Code and tools that run again give the same again.
    const known = store.artifacts(row).find(({ artifactId }) => artifactId === artifact.artifactId);
    const step = artifactStep(artifact);
    if (known && JSON.stringify(artifactStep(known)) === JSON.stringify(step))
      return live.dropUnfinished(artifact.artifactId);
    log.append(step);
    live.completeArtifact(artifact);
  };
  return {
    ...box,
    model,
    code: definition.run && codeRun(definition.run, { live, log, call, emit, keep }),
    system: systemPrompt(definition.instructions ?? "", asker.chain.at(-1)),
    permissions: config.permissions,
    canUseTool: definition.canUseTool,
    hook,
    log,
    budget: { limits: config.budget, workedMs, account: accountOf(env, taskId, asker, life.n), queryWallMs },
    approvals: {
      policy: config.approvals.policy,
      expiresMs: config.approvals.expiresMs,
      idOf: (call) => `ap_${mac(env.TROUPE_KEY, approvalText({ taskId, agent: config.id, ...call }), APPROVAL_CHARS)}`,
    },
    idempotencyKey: (toolUseId) => mac(env.TROUPE_KEY, JSON.stringify(["call", taskId, toolUseId]), KEY_CHARS),
    peerUsage: (toolUseId) => peerUsage.get(toolUseId),
    sessionStart: begin === 0 ? "startup" : log.steps[begin - 1]?.kind === "session_end" ? "resume" : undefined,
    isFromPeer: !isQuery,
    report: (failure, about) => logLine(env, "warn", failure, about),
    call: { ...call, peers },
    artifact: (given) => keep(wholeArtifact(given)),
    trace,
    emit,
    signal,
  };
}

const NOTHING_SAID: HookOutcome = { systemMessages: [] };

/** Runs the agent's hooks of an event. Logs hooks that fail, and their words for people. */
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

/** Runs the SessionEnd hooks of a thread, whose last task is `row`. */
export async function runSessionEndHooks(tasks: Tasks, row: TaskRow): Promise<void> {
  const { signal } = new AbortController();
  const hook = hookOf(tasks.env, tasks.definition, { contextId: row.contextId, taskId: tasks.idOf(row) });
  await hook({ hook_event_name: "SessionEnd", reason: "other" }, signal);
}
