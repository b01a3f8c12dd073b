// The approvals of a Session's tasks: what waits, and the answers, which are steps of the task's log like everything else.
import type { Approval, ApprovalAnswer } from "../../loop/approval.ts";
import { denyOpen, type NoAnswer } from "../../loop/denials.ts";
import { ledger, pendingApprovals, sinceLastAnswer } from "../../loop/ledger.ts";
import { peerCall } from "../../loop/peer-call.ts";
import { endApproval } from "../../loop/wait-spans.ts";
import type { Step } from "../../loop/step.ts";
import type { Tracer } from "../../tracing/tracer.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { cancelAtPeer } from "../peer-connection.ts";
import type { SessionStore } from "./store.ts";
import type { TaskRow } from "./task-row.ts";
import type { Asker } from "../caller.ts";

type PeerTaskStep = Extract<Step, { kind: "peer_task" }>;

export class Approvals {
  readonly #store: SessionStore;
  readonly #tracer: Tracer;
  readonly #env: AgentEnv;

  constructor(store: SessionStore, tracer: Tracer, env: AgentEnv) {
    this.#store = store;
    this.#tracer = tracer;
    this.#env = env;
  }

  /** What the task waits for. */
  pending(row: TaskRow): readonly Approval[] {
    return pendingApprovals(this.#store.ownSteps(row));
  }

  /** Writes a client's answers. */
  answer(row: TaskRow, answers: readonly ApprovalAnswer[], messageId: string): void {
    this.#write(
      row,
      answers.map((answer) => ({ kind: "approval_answer", by: "client", messageId, ...answer })),
    );
  }

  /** Answers what has expired by `now`: no answer means no. */
  expire(row: TaskRow, now: number): void {
    const expired = this.pending(row).filter(({ expiresAt }) => expiresAt <= now);
    this.#write(
      row,
      expired.map(({ id }) => ({ kind: "approval_answer", id, decision: "expired", by: "clock" })),
    );
  }

  /** Says no to all that waits, and gives each open call its result. Returns the tasks at peers that nobody waits for any more. */
  deny(row: TaskRow, why: NoAnswer): readonly PeerTaskStep[] {
    const own = this.#store.ownSteps(row);
    const waiting = [...ledger(sinceLastAnswer(own))].filter(([, { is }]) => is === "peer_waits" || is === "at_peer");
    this.#write(row, denyOpen(own, why));
    return waiting.flatMap(([toolUseId]) => peerCall(own, toolUseId).task ?? []);
  }

  async cancelPeer(step: PeerTaskStep, asker: Asker): Promise<void> {
    await cancelAtPeer(this.#env, step, asker, () => this.#store.allSteps());
  }

  #write(row: TaskRow, steps: readonly Step[]): void {
    const { steps: log, begin, workedMs } = this.#store.turnLog(row);
    for (const step of steps) {
      this.#store.append(row, step, workedMs);
      if (step.kind !== "approval_answer" || !row.trace) continue;
      const { trace: task, contextId } = row;
      endApproval({ tracer: this.#tracer, task, agent: configOf(this.#env).id, contextId }, log.slice(begin), step);
    }
  }
}
