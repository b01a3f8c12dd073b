// What an approval is bound to: one text for each tool call and input, so that a signature over it holds for no other.
import { canonical } from "../../text/canonical-json.ts";

export interface Bound {
  readonly taskId: string;
  readonly toolUseId: string;
  readonly agent: string;
  readonly tool: string;
  readonly input: unknown;
}

/** What to sign for the approval's id. Any change of any part makes another text. Throws TypeError as canonical does. */
export function approvalText({ taskId, toolUseId, agent, tool, input }: Bound): string {
  return canonical(["troupe-approval-1", taskId, toolUseId, agent, tool, input]);
}
