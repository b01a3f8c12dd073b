// Turns of a Session for whoever deployed the job, page by page. Reads past the memory of the store: a session may be long.
import { taskStateToJSON } from "@a2a-js/sdk";
import type * as z from "zod";
import { addUsage, NO_USAGE } from "../../../budget/usage.ts";
import type { ListTurns, PeerTurn, TurnRecord } from "../../../control-plane/sessions.ts";
import { isModelCall, type Step } from "../../../loop/log/step.ts";
import { reasonOf } from "../../../text/reason.ts";
import type { Begun, SessionStore } from "../tasks/store.ts";
import type { Tasks } from "../tasks/tasks.ts";

/** Turns of a page, and of one with their steps. */
const PAGE = 50;
const PAGE_WITH_STEPS = 10;
/** One turn may have more. RPC takes 32 MiB. */
const MOST_CHARACTERS = 8_000_000;

export type TurnsQuery = z.output<typeof ListTurns>;

/** A TurnsPage as JSON. */
export function readTurns(tasks: Tasks, query: TurnsQuery): string {
  const { store } = tasks;
  const fitting = select(store.begun(), query);
  const rest = fitting.filter(({ id }) => id > query.after);
  const page = rest.slice(0, query.steps ? PAGE_WITH_STEPS : PAGE);
  const read = stepsOf(store, page);
  const turns: string[] = [];
  let length = 0;
  for (const begun of page) {
    const turn = JSON.stringify(toRecord(tasks, begun, read(begun), query.steps));
    length += turn.length;
    if (length > MOST_CHARACTERS && turns.length > 0) break;
    turns.push(turn);
  }
  const next = rest.length > turns.length ? (rest[turns.length - 1]?.id ?? null) : null;
  return `{"turns":[${turns.join(",")}],"total":${fitting.length},"next":${next}}`;
}

function select(all: readonly Begun[], { contextId, messageIds, upTo = Infinity, last }: TurnsQuery): readonly Begun[] {
  const wanted = messageIds && new Set(messageIds);
  const fitting = all.filter(
    (task) =>
      (contextId === undefined || task.contextId === contextId) &&
      (wanted === undefined || (task.messageId !== null && wanted.has(task.messageId))) &&
      task.n <= upTo,
  );
  return last === undefined ? fitting : fitting.slice(-last);
}

/** The steps of each task, or why they cannot be read: one such task must not hide the others. */
function stepsOf(store: SessionStore, page: readonly Begun[]): (task: Begun) => readonly Step[] | string {
  try {
    const steps = store.readSteps(page);
    return ({ id }) => steps.get(id) ?? [];
  } catch {
    return (task) => {
      try {
        return store.readSteps([task]).get(task.id) ?? [];
      } catch (error) {
        return `Its log cannot be read: ${reasonOf(error)}`;
      }
    };
  }
}

function toRecord(tasks: Tasks, begun: Begun, read: readonly Step[] | string, withSteps: boolean): TurnRecord {
  const row = tasks.store.task(begun);
  if (!row) throw new Error(`The session has no task ${begun.n} in the thread ${begun.contextId}.`);
  const steps = typeof read === "string" ? [] : read;
  return {
    contextId: row.contextId,
    n: row.n,
    taskId: tasks.idOf(row),
    messageId: row.messageId,
    state: taskStateToJSON(row.state),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    question: tasks.store.question(row),
    answer: row.answer,
    problem: typeof read === "string" ? read : row.problem,
    usage: steps.reduce((sum, step) => (isModelCall(step) ? addUsage(sum, step.usage) : sum), NO_USAGE),
    costUsd: row.result?.total_cost_usd ?? null,
    traceId: row.traceId,
    compacted: steps.some(({ kind }) => kind === "compaction"),
    peers: peersOf(steps),
    ...(withSteps ? { steps: steps.map((step) => ({ ...step })) } : {}),
  };
}

/** The questions that have opened turns at other agents. */
function peersOf(steps: readonly Step[]): PeerTurn[] {
  const messages = new Map<string, string>();
  return steps.flatMap((step) => {
    if (step.kind !== "peer_call" && step.kind !== "peer_task") return [];
    const key = `${step.ordinal ?? 1} ${step.toolUseId}`;
    if (step.kind === "peer_call") messages.set(key, step.messageId);
    const messageId = messages.get(key);
    if (step.kind === "peer_call" || messageId === undefined) return [];
    const { agent, contextId, thread } = step;
    return [{ agent, contextId, thread, messageId }];
  });
}
