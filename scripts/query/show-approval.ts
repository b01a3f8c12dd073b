// One question of an agent as a person sees it. Its words come from a model that may want a yes: nothing in them can move the cursor,
// hide, or look like a line of ours.
import type { Approval } from "#shared/loop/log/approval.ts";

import { nothingHidden } from "../terminal/terminal-text.ts";
import { duration } from "../traces/amounts.ts";

/** Characters of an input that are shown. */
const MAX_SHOWN = 8_000;

/** `now` in milliseconds since the epoch. */
export function showApproval({ id, agent, tool, input, reason, expiresAt }: Approval, now: number): string {
  const left = expiresAt > now ? `for another ${duration((expiresAt - now) * 1_000)}` : "no longer: it has expired";
  return [
    `${line(agent)} wants to run ${line(tool)} with`,
    inputLines(input),
    `Why it asks:  ${line(reason)}`,
    `It can be answered ${left}. Id: ${line(id)}`,
  ].join("\n");
}

function inputLines(input: Approval["input"]): string {
  const json = nothingHidden(JSON.stringify(input, null, 2));
  const indented = json.slice(0, MAX_SHOWN).toWellFormed().replace(/^/gm, "    ");
  if (json.length <= MAX_SHOWN) return indented;
  return `${indented}\n    [cut: ${json.length - MAX_SHOWN} of ${json.length} characters are not shown; --json prints them all]`;
}

function line(text: string): string {
  return nothingHidden(text.replace(/\s+/g, " ").trim());
}
