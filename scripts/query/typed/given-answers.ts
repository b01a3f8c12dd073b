// Answers that were typed as flags: --allow ID --deny ID --reason TEXT. "all" stands for every approval that no flag
// names.
import type { Approval, ApprovalAnswer } from "#shared/loop/log/approval.ts";

import { CliError } from "../../terminal/cli-error.ts";

export interface GivenAnswers {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Given to the model with each denial. */
  readonly reason: string | undefined;
}

const ALL = "all";

export function saysAll({ allow, deny }: GivenAnswers): boolean {
  return [...allow, ...deny].includes(ALL);
}

/** Throws CliError where the flags contradict each other. The agent checks the ids. */
export function answersGiven({ allow, deny, reason }: GivenAnswers, waiting: readonly Approval[]): ApprovalAnswer[] {
  const both = allow.find((id) => deny.includes(id));
  if (both !== undefined) throw new CliError("bad_input", `"${both}" cannot be both allowed and denied.`);
  const named = [...allow, ...deny];
  const others = waiting.map(({ id }) => id).filter((id) => !named.includes(id));
  const ids = (list: readonly string[]) => new Set(list.flatMap((id) => (id === ALL ? others : [id])));
  const why = reason === undefined ? {} : { reason };
  return [
    ...[...ids(allow)].map((id) => ({ id, decision: "allow" as const })),
    ...[...ids(deny)].map((id) => ({ id, decision: "deny" as const, ...why })),
  ];
}
