// Binds an approval to one tool call and its input: the text that is signed is different for every other call.
import { canonical } from "../../../text/canonical-json.ts";

export interface Bound {
  readonly taskId: string;
  readonly toolUseId: string;
  readonly agent: string;
  readonly tool: string;
  readonly input: unknown;
}

/** The text to sign for the approval's id. Throws TypeError as canonical does. */
export function approvalText({ taskId, toolUseId, agent, tool, input }: Bound): string {
  return canonical(["troupe-approval-1", taskId, toolUseId, agent, tool, input]);
}
