// One model call of a turn, with all that surrounds it: the agent's own limits, room in the context, and the query's account.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { ModelRequest } from "../models/model.ts";
import { allowedTokens, searchesIn } from "./allowed-tokens.ts";
import { BudgetUnreachable } from "./budget.ts";
import { compactIfFull } from "./compact.ts";
import { estimateTokens } from "./context.ts";
import type { AssistantStep } from "./model-call.ts";
import { offered, offeredUnasked } from "./permissions.ts";
import { callReserved } from "./reserved-call.ts";
import { conversationOf } from "./step.ts";
import type { Turn } from "./turn.ts";

/**
 * Makes the call and writes its answer into the log. `mayHaveCut`: an earlier life ended where this call was to be made, or was under
 * way. Throws ModelError, BudgetSpent, BudgetUnreachable or the signal's reason.
 */
export async function nextAnswer(turn: Turn, signal: AbortSignal, mayHaveCut = false): Promise<AssistantStep> {
  const tools = offeredTools(turn);
  // First, because a compaction is a model call too.
  allowedTokens(turn, 0);
  await compactIfFull(turn, tools, signal);
  const request: ModelRequest = {
    system: turn.system,
    ...conversationOf(turn.log, turn.model),
    tools,
    ...(turn.output ? { outputSchema: turn.output.jsonSchema } : {}),
  };
  const calls = turn.log.slice(turn.begin).filter(({ kind }) => kind === "assistant").length + 1;
  const inputTokens = estimateTokens(turn.log, request);
  if (mayHaveCut)
    turn.append({ kind: "model_cut", inputTokens, maxTokens: allowedTokens(turn, inputTokens), ...searchesIn(turn) });
  const call = { ordinal: calls, inputTokens, maxTokens: allowedTokens(turn, inputTokens), signal };
  const { answer, reservation } = await callReserved(turn, request, call);
  const step = reservation === undefined ? answer : { ...answer, reservation };
  turn.append(step);
  if (reservation !== undefined) await settle(turn, reservation, answer);
  return step;
}

/** An answer that ends the turn is not lost because the account is: what was set aside for it stays booked then. */
async function settle({ account }: Turn, reservation: string, { content, usage }: AssistantStep): Promise<void> {
  try {
    await account?.settle(reservation, usage);
  } catch (error) {
    const goesOn = content.some(({ type }) => type === "tool_use");
    if (goesOn || !(error instanceof BudgetUnreachable)) throw error;
  }
}

function offeredTools({ tools, serverTools, permissions }: Turn): ToolUnion[] {
  const schemas = offered(permissions, tools).map(({ name, description, inputSchema }) => ({
    name,
    description,
    input_schema: { ...inputSchema, type: "object" as const },
  }));
  return [...schemas, ...serverTools.filter((tool) => !("name" in tool) || offeredUnasked(permissions, tool.name))];
}
