// One approval as a person at the terminal sees it. The model wrote its words and may want a yes: none of them can move
// the cursor, hide, or look like a line of Troupe's own.
import type { Approval } from "#shared/loop/log/approval.ts";
import { inOneLine, inputView } from "#shared/text/visible.ts";

import { troupe } from "../../terminal/hint.ts";
import { duration } from "../../traces/amounts.ts";

/** Characters of an input that are shown. */
const MAX_SHOWN = 8_000;

/** `now` in milliseconds since the epoch. */
export function showApproval({ id, agent, tool, input, reason, expiresAt }: Approval, now: number): string {
  const left = expiresAt > now ? `for another ${duration((expiresAt - now) * 1_000)}` : "no longer: it has expired";
  return [
    `${inOneLine(agent)} wants to run ${inOneLine(tool)} with`,
    inputView(input, MAX_SHOWN, `${troupe`approvals --json`} prints them all`),
    `Reason: ${inOneLine(reason)}`,
    `It can be answered ${left}. Id: ${inOneLine(id)}`,
  ].join("\n");
}
