// What somebody answered to approvals that wait. Understood strictly: an answer that is not clear is none, never a yes.
import * as z from "zod";
import { suggest } from "../../text/nearest.ts";
import { ApprovalAnswer } from "../approval.ts";

/** The parts of a message as A2A has them; other kinds of content are refused. */
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
  'Answer "allow" or "deny" (or yes, approve, no, reject), alone for all that wait or followed by the ids it is for; ' +
  'or send a data part {"approvals": [{"id": "…", "decision": "allow" | "deny", "reason": "…"}]}.';

/**
 * The answers of one message, each for an approval of `waiting`, none twice. Otherwise an error for whoever sent it: what is
 * wrong and how to answer. All or nothing: where one part is not clear, none of it counts.
 */
export function parseAnswers(parts: readonly AnswerPart[], waiting: readonly { readonly id: string }[]): ParsedAnswers {
  const ids = waiting.map(({ id }) => id);
  if (ids.length === 0) return { error: "Nothing waits for an approval." };
  const said = parts.map(({ content }) => content).filter((content) => content !== undefined);
  const texts = said.flatMap(({ $case, value }) => ($case === "text" && typeof value === "string" ? [value] : []));
  const data = said.filter(({ $case }) => $case === "data").map(({ value }) => value);
  if (texts.length + data.length < said.length) return wrong("An answer is text or data, not a file.");
  const text = texts.join("\n").trim();
  if (data.length === 0) return fromText(text, ids);
  if (text !== "") return wrong("The message holds text and data, and only one of them can be the answer.");
  return fromData(data, ids);
}

function fromText(text: string, ids: readonly string[]): ParsedAnswers {
  const [word = "", ...named] = text.split(/[\s,]+/).filter((token) => token !== "");
  const key = word.toLowerCase();
  const decision = Object.hasOwn(WORDS, key) ? WORDS[key] : undefined;
  if (decision === undefined) return wrong("This is no answer to the approvals that wait.");
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

function wrong(what: string): ParsedAnswers {
  return { error: `${what} ${HOW}` };
}
