// Questions that an earlier life of a turn had asked other agents, told again in case that their spans went with it.
import { sinceLastAnswer } from "../loop/ledger.ts";
import type { TurnTrace } from "../loop/turn-trace.ts";
import type { Step } from "../loop/step.ts";
import { AskingSpan } from "./asking-span.ts";

/** The spans of the peers hang below them. What that life has said of them itself counts more, whenever it arrives. */
export function retellQuestions({ tracer, task, agent: source }: TurnTrace, log: readonly Step[]): void {
  for (const step of sinceLastAnswer(log)) {
    if (step.kind !== "peer_call") continue;
    const { agent: target, contextId, messageId, message, spanId, at } = step;
    const about = { parent: task, source, target, contextId, messageId, message };
    new AskingSpan(tracer, about, { spanId, startTime: at }).unheard();
  }
}
