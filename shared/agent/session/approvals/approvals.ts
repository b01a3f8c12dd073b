// The approvals of a Session's tasks: what waits, and the answers, which are steps of the task's log.
import type { Approval, ApprovalAnswer } from "../../../loop/log/approval.ts";
import type { NoAnswer } from "../../../loop/log/denials.ts";
import { pendingApprovals, pendingQuestion } from "../../../loop/log/ledger.ts";
import { peerCall } from "../../../loop/log/peer-question.ts";
import type { Step } from "../../../loop/log/step.ts";
import { TurnLog } from "../../../loop/log/turn-log.ts";
import { endApproval } from "../../../loop/spans/wait-spans.ts";
import { closeCalls } from "../../../loop/tool-calls/close-calls.ts";
import { configOf } from "../../env.ts";
import { cancelAtPeer } from "../../peers/connection.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { TaskRow } from "../tasks/task-row.ts";

export class Approvals {
  readonly #tasks: Tasks;

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
  }

  /** What the task waits for. */
  pending(row: TaskRow): readonly Approval[] {
    return pendingApprovals(this.#tasks.store.ownSteps(row));
  }

  /** Writes a client's answers. */
  answer(row: TaskRow, answers: readonly ApprovalAnswer[], messageId: string): void {
    this.#write(
      row,
      answers.map((answer) => ({ kind: "approval_answer", by: "client", messageId, ...answer })),
    );
  }

  /** Writes the answer to the question of the agent's code. The step before holds it. */
  answerQuestion(row: TaskRow): void {
    this.#log(row).append({ kind: "question_answer" });
  }

  /** Answers what has expired by `now`: no answer denies the call. */
  expire(row: TaskRow, now: number): void {
    const question = pendingQuestion(this.#tasks.store.ownSteps(row));
    if (question && question.expiresAt <= now) this.#log(row).append({ kind: "question_answer", expired: true });
    const expired = this.pending(row).filter(({ expiresAt }) => expiresAt <= now);
    this.#write(
      row,
      expired.map(({ id }) => ({ kind: "approval_answer", id, decision: "expired", by: "clock" })),
    );
  }

  /** Denies all that a task waits for, gives each open call its result, and cancels the tasks of the peers that it asked. */
  denyAll(row: TaskRow, why: NoAnswer): void {
    const log = this.#log(row);
    const { env, store } = this.#tasks;
    closeCalls(log, this.#trace(row), why, (toolUseId) => {
      const { task } = peerCall(log.steps, toolUseId);
      if (!task || !row.asker) return;
      const work = cancelAtPeer(env, task, row.asker, () => store.foundSteps());
      this.#tasks.afterwards(work, `telling ${task.agent} to cancel its task`);
    });
  }

  #write(row: TaskRow, answers: readonly Extract<Step, { kind: "approval_answer" }>[]): void {
    const log = this.#log(row);
    const own = log.own();
    const trace = this.#trace(row);
    for (const answer of answers) {
      log.append(answer);
      if (trace) endApproval(trace, own, answer);
    }
  }

  #log(row: TaskRow): TurnLog {
    const { steps, begin, workedMs } = this.#tasks.store.threadLog(row);
    return new TurnLog(steps, {
      begin,
      life: row.life.n,
      write: (step) => this.#tasks.store.append(row, step, workedMs),
    });
  }

  /** Undefined for a task of an older version. */
  #trace({ trace: task, contextId }: TaskRow) {
    return task ? { tracer: this.#tasks.tracer, task, agent: configOf(this.#tasks.env).id, contextId } : undefined;
  }
}
