// canUseTool: a function of the agent's definition, in the Claude Agent SDK's shape, that decides about tools which no rule names. Its
// result is parsed. A failure denies the call.
import * as z from "zod";
import { reasonOf, stackOf } from "../../text/reason.ts";
import { jsonCopy } from "../../text/plain-json.ts";
import { untilAborted } from "../../resilience/until-aborted.ts";

const PermissionResult = z.discriminatedUnion("behavior", [
  z.object({
    behavior: z.literal("allow"),
    /** Replaces the tool's input, and is validated like it. */
    updatedInput: z.record(z.string(), z.unknown()).optional(),
  }),
  z.object({
    behavior: z.literal("deny"),
    /** For the model. */
    message: z.string(),
    /** Ends the turn, too. */
    interrupt: z.boolean().optional(),
  }),
]);
export type PermissionResult = z.infer<typeof PermissionResult>;

export type CanUseTool = (
  toolName: string,
  input: Record<string, unknown>,
  options: { readonly signal: AbortSignal; readonly toolUseID: string },
) => Promise<PermissionResult> | PermissionResult;

/** Rejects only with the signal's reason. Any other failure denies the call, says so, and goes to `report`. */
export async function askCanUseTool(
  canUseTool: CanUseTool,
  call: { readonly tool: string; readonly input: Readonly<Record<string, unknown>>; readonly toolUseId: string },
  signal: AbortSignal,
  report?: (failure: string) => void,
): Promise<PermissionResult> {
  signal.throwIfAborted();
  try {
    const asked = canUseTool(call.tool, structuredClone(call.input), { signal, toolUseID: call.toolUseId });
    const parsed = PermissionResult.safeParse(jsonCopy(await untilAborted(Promise.resolve(asked), signal)));
    if (parsed.success) return parsed.data;
    return denied(call.tool, `its answer does not fit:\n${z.prettifyError(parsed.error)}`);
  } catch (error) {
    signal.throwIfAborted();
    report?.(`The agent's canUseTool threw: ${stackOf(error)}`);
    return denied(call.tool, reasonOf(error));
  }
}

function denied(tool: string, reason: string): PermissionResult {
  return { behavior: "deny", message: `The agent's canUseTool failed, so ${tool} was not run: ${reason}` };
}
