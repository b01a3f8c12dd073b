// Approvals that an agent of others asks for: it declares the extension, and whoever asked this agent decides. Its words are data.
import type { RemoteCard } from "../../a2a/remote/card.ts";
import { type Approval, ApprovalsAsked } from "../../loop/log/approval.ts";
import type { Step } from "../../loop/log/step.ts";
import { foreignWords } from "../../text/foreign-words.ts";

/** Approvals of one question. */
const MAX_APPROVALS = 100;
const MAX_NAME = 200;
const MAX_REASON = 2_000;
/** An answer in words names ids, with spaces between them. */
const ID = /^[\w.:~-]{1,500}$/;

/**
 * The approvals of a question that the agent `agent` asks back for a call; none where it asks for something else, or under an id that another
 * call of the log has. They stand under the agent's own id, whatever it says.
 */
export function remoteApprovals(
  data: readonly unknown[],
  {
    agent,
    card,
    toolUseId,
    steps,
  }: { readonly agent: string; readonly card: RemoteCard; readonly toolUseId: string; readonly steps: readonly Step[] },
): Approval[] {
  if (!card.approvals) return [];
  const asked = data.flatMap((part) => ApprovalsAsked.safeParse(part).data?.approvals ?? []);
  const isFit = asked.length <= MAX_APPROVALS && asked.every(({ id }) => ID.test(id) && !isTaken(id, toolUseId, steps));
  if (!isFit) return [];
  return asked.map(({ tool, reason, ...approval }) => ({
    ...approval,
    agent,
    tool: foreignWords(tool, MAX_NAME),
    reason: foreignWords(reason, MAX_REASON),
  }));
}

/** An answer to the one would be an answer to the other. */
function isTaken(id: string, toolUseId: string, steps: readonly Step[]): boolean {
  return steps.some(
    (step) =>
      (step.kind === "approval" && step.approval.id === id) ||
      (step.kind === "peer_input" && step.toolUseId !== toolUseId && step.approvals.some((other) => other.id === id)),
  );
}
