// Asks for approvals: text for a person, data for a program. A model wrote the input and may imitate our text, so it is shown as indented
// JSON, in which nothing moves a cursor or hides.
import type { Approval } from "../../../loop/log/approval.ts";
import { inOneLine, escaped } from "../../../text/visible.ts";

/** Characters of an input that the text shows. The data holds all of it. */
const MAX_SHOWN = 4_000;
/** The latest possible date. */
const MAX_DATE_MS = 8.64e15;

export interface ApprovalRequest {
  readonly text: string;
  readonly data: { readonly approvals: readonly Approval[] };
}

/** The question for all of `approvals`, at least one. */
export function approvalRequest(approvals: readonly Approval[]): ApprovalRequest {
  const [{ id } = { id: "" }, ...more] = approvals;
  const one = more.length === 0;
  const head = one ? "A tool needs your approval." : `${approvals.length} tool calls need your approval.`;
  const how = one
    ? `Answer "allow ${inOneLine(id)}" or "deny ${inOneLine(id)}". No answer means no.`
    : 'Answer "allow" or "deny", followed by the ids it is for. No answer means no.';
  return { text: [head, ...approvals.map(describe), how].join("\n\n"), data: { approvals: [...approvals] } };
}

function describe({ id, agent, tool, input, reason, expiresAt }: Approval): string {
  const lines = [
    `${inOneLine(agent)} wants to run ${inOneLine(tool)} with`,
    inputLines(input),
    `Why it is asked: ${inOneLine(reason)}`,
    `Until: ${moment(expiresAt)}`,
    `Id: ${inOneLine(id)}`,
  ];
  return lines.join("\n");
}

function inputLines(input: Approval["input"]): string {
  const json = escaped(JSON.stringify(input, null, 2));
  const shown = json.slice(0, MAX_SHOWN).toWellFormed();
  const indented = shown.replace(/^/gm, "    ");
  if (json.length <= MAX_SHOWN) return indented;
  return `${indented}\n    [cut: ${json.length - MAX_SHOWN} of ${json.length} characters are not shown; the data part holds them]`;
}

function moment(ms: number): string {
  return new Date(Math.min(ms, MAX_DATE_MS))
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}
