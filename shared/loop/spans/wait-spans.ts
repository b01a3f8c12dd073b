// Spans of a turn beside those of its calls: waiting for approvals, reserving at the query's account, compacting.
import { APPROVAL, BUDGET, COMPACTION, GEN_AI, SPAN } from "../../tracing/names.ts";
import { randomContext, type TraceContext } from "../../tracing/trace-context.ts";
import { contextOf, shortId, SpanKind, type Span, type Tracer } from "../../tracing/tracer.ts";
import type { Approval } from "../log/approval.ts";
import { BudgetSpent } from "../../budget/limits.ts";
import { questionOf, type ApprovalAnswerStep } from "../log/ledger.ts";
import { failAborted, nameOf } from "./call-spans.ts";
import type { TurnTrace } from "./turn-trace.ts";
import type { Step } from "../log/step.ts";

/** From the question to its answer. The log keeps its id, so that another life can end it. */
export class ApprovalSpan {
  readonly #span: Span;

  constructor(
    { tracer, task, agent, contextId }: Pick<TurnTrace, "tracer" | "task" | "agent" | "contextId">,
    { id, tool }: Approval,
    { startTime, spanId }: { readonly startTime: number; readonly spanId?: string },
  ) {
    const own = { traceId: task.traceId, spanId: spanId ?? randomContext().spanId };
    this.#span = tracer.start({
      name: SPAN.approval(tool),
      parent: task,
      own,
      startTime,
      attributes: {
        [APPROVAL.id]: shortId(id),
        [APPROVAL.tool]: tool,
        [GEN_AI.agentName]: agent,
        [GEN_AI.conversation]: shortId(contextId),
      },
    });
  }

  get spanId(): string {
    return this.#span.spanContext().spanId;
  }

  /** `decision`: allow, deny, expired or void. */
  end(decision: string, by: string): void {
    this.#span.setAttributes({ [APPROVAL.decision]: decision, [APPROVAL.decidedBy]: by }).end();
  }
}

/** Ends the span of an answered question. */
export function endApproval(
  trace: Pick<TurnTrace, "tracer" | "task" | "agent" | "contextId">,
  own: readonly Step[],
  { id, decision, by }: ApprovalAnswerStep,
): void {
  const asked = questionOf(own, id);
  if (!asked) return;
  const { approval, askedAt: startTime, spanId } = asked;
  new ApprovalSpan(trace, approval, { startTime, spanId }).end(decision, by);
}

/** A reservation at the query's account, and the wait for it. */
export class ReservationSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;

  constructor({ tracer, parent, agent, contextId }: TurnTrace) {
    this.#tracer = tracer;
    this.#span = tracer.start({
      name: SPAN.budget,
      kind: SpanKind.CLIENT,
      parent,
      attributes: { [GEN_AI.agentName]: agent, [GEN_AI.conversation]: shortId(contextId) },
    });
  }

  end(reserved: number): void {
    this.#span.setAttribute(BUDGET.reserved, reserved).end();
  }

  fail(error: unknown, signal: AbortSignal): void {
    if (error instanceof BudgetSpent) this.#span.setAttribute(BUDGET.kind, error.kind);
    failAborted(this.#tracer, this.#span, error, signal, nameOf(error)).end();
  }
}

/** One compaction, with the call that makes the summary. */
export class CompactionSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;

  constructor({ tracer, parent, agent, contextId }: TurnTrace, trigger: string, tokensBefore: number) {
    this.#tracer = tracer;
    this.#span = tracer.start({
      name: SPAN.compaction,
      parent,
      attributes: {
        [COMPACTION.trigger]: trigger,
        [COMPACTION.tokensBefore]: tokensBefore,
        [GEN_AI.agentName]: agent,
        [GEN_AI.conversation]: shortId(contextId),
      },
    });
  }

  /** The parent of the compaction's model calls. */
  get context(): TraceContext {
    return contextOf(this.#span);
  }

  end(tokensAfter: number): void {
    this.#span.setAttribute(COMPACTION.tokensAfter, tokensAfter).end();
  }

  fail(error: unknown, signal: AbortSignal): void {
    failAborted(this.#tracer, this.#span, error, signal, nameOf(error)).end();
  }
}
