// Parses answers to approvals, strictly: an answer that is not clear is refused, and never allows a call.
import * as z from "zod";
import { suggest } from "../../../text/nearest.ts";
import { ApprovalAnswer, type Approval } from "../../../loop/log/approval.ts";
import { inOneLine } from "../../../text/visible.ts";
import { hasAnswers, pendingApprovals, type ApprovalAnswerStep } from "../../../loop/log/ledger.ts";
import type { Step } from "../../../loop/log/step.ts";

/** A part of an A2A message. Other kinds of content are refused. */
export interface AnswerPart {
  readonly content?: { readonly $case: string; readonly value: unknown } | undefined;
}

export type ParsedAnswers = { readonly answers: readonly ApprovalAnswer[] } | { readonly error: string };

const Data = z.strictObject({
  approvals: z.array(z.strictObject(ApprovalAnswer.shape)).min(1, "name at least one approval"),
});

const WORDS: Readonly<Record<string, ApprovalAnswer["decision"]>> = {
  allow: "allow",
  yes: "allow",
  approve: "allow",
  deny: "deny",
  no: "deny",
  reject: "deny",
};

const HOW =
  'Answer "allow" or "deny" (or yes, approve, no, reject), followed by the ids it is for; alone it is for all that wait; ' +
  'or send a data part {"approvals": [{"id": "…", "decision": "allow" | "deny", "reason": "…"}]}.';

/** Characters of a name that a refusal repeats. */
const MAX_SHOWN = 100;

/** The waiting approvals, and whether the task had earlier answers: then a bare "yes" may be meant for an earlier question. */
export interface Waiting {
  readonly approvals: readonly Pick<Approval, "id" | "agent" | "tool">[];
  readonly hasAnswers: boolean;
}

/**
 * The answers of one message, each for an approval of `waiting`, none twice; or an error for the sender: what is wrong and how to answer.
 * Where one part is not clear, nothing of the message counts. A bare "yes" counts only for the first questions of a task, a bare "no"
 * always.
 */
export function parseAnswers(parts: readonly AnswerPart[], waiting: Waiting): ParsedAnswers {
  const ids = waiting.approvals.map(({ id }) => id);
  if (ids.length === 0) return { error: "Nothing waits for an approval." };
  const said = parts.map(({ content }) => content).filter((content) => content !== undefined);
  const texts = said.flatMap(({ $case, value }) => ($case === "text" && typeof value === "string" ? [value] : []));
  const data = said.filter(({ $case }) => $case === "data").map(({ value }) => value);
  if (texts.length + data.length < said.length) return wrong("An answer is text or data, not a file.");
  const text = texts.join("\n").trim();
  if (data.length === 0) return fromText(text, ids, waiting);
  if (text !== "") return wrong("The message holds text and data, and only one of them can be the answer.");
  return fromData(data, ids);
}

function fromText(text: string, ids: readonly string[], { approvals, hasAnswers }: Waiting): ParsedAnswers {
  const [word = "", ...named] = text.split(/[\s,]+/).filter((token) => token !== "");
  const key = word.toLowerCase();
  const decision = Object.hasOwn(WORDS, key) ? WORDS[key] : undefined;
  if (decision === undefined) return wrong("This is no answer to the approvals that wait.");
  if (decision === "allow" && named.length === 0 && hasAnswers) {
    const what = approvals.map(({ id, agent, tool }) => `${id} (${shown(tool)} of ${shown(agent)})`).join(", ");
    return wrong(`This task was answered before, so say what the ${key} is for. What waits: ${what}.`);
  }
  return checked(
    (named.length === 0 ? ids : named).map((id) => ({ id, decision })),
    ids,
  );
}

function fromData(data: readonly unknown[], ids: readonly string[]): ParsedAnswers {
  const parsed = z.array(Data).safeParse(data);
  if (!parsed.success) return wrong(`The data part is no answer:\n${z.prettifyError(parsed.error)}`);
  return checked(
    parsed.data.flatMap(({ approvals }) => approvals),
    ids,
  );
}

function checked(answers: readonly ApprovalAnswer[], ids: readonly string[]): ParsedAnswers {
  const byId = new Map<string, ApprovalAnswer>();
  for (const answer of answers) {
    if (!ids.includes(answer.id)) {
      return wrong(`No approval ${JSON.stringify(answer.id.slice(0, 100))} waits. ${suggest(answer.id, ids)}`);
    }
    const other = byId.get(answer.id);
    if (other !== undefined && other.decision !== answer.decision) {
      return wrong(`The approval ${answer.id} is both allowed and denied.`);
    }
    byId.set(answer.id, answer);
  }
  return { answers: [...byId.values()] };
}

function shown(name: string): string {
  return inOneLine(name.slice(0, MAX_SHOWN));
}

function wrong(what: string): ParsedAnswers {
  return { error: `${what} ${HOW}` };
}

/** Whether the task's log has answers of this message already, and whether they are the same. A retry after a broken connection is. */
export function repetition(
  own: readonly Step[],
  messageId: string,
  parts: readonly AnswerPart[],
): "new" | "same" | "other" {
  const isOfMessage = (step: Step): step is ApprovalAnswerStep =>
    step.kind === "approval_answer" && step.messageId === messageId;
  const first = own.findIndex(isOfMessage);
  if (first === -1) return "new";
  // A bare "yes" is for the approvals that waited when it came.
  const before = own.slice(0, first);
  const parsed = parseAnswers(parts, { approvals: pendingApprovals(before), hasAnswers: hasAnswers(before) });
  return "answers" in parsed && said(parsed.answers) === said(own.filter(isOfMessage)) ? "same" : "other";
}

function said(answers: readonly (ApprovalAnswerStep | ApprovalAnswer)[]): string {
  return answers
    .map(({ id, decision, reason }) => JSON.stringify([id, decision, reason]))
    .toSorted((a, b) => a.localeCompare(b))
    .join();
}
