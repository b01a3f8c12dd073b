// What each request of a turn holds beside its conversation: the same for a model call, a compaction and an estimate.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Frame } from "./context-size.ts";
import { offered, offeredUnasked } from "../tools/permissions.ts";
import type { Turn } from "../turn.ts";

export function frameOf(turn: Turn): Frame {
  const frame = { system: turn.system, tools: offeredTools(turn) };
  return turn.output ? { ...frame, outputSchema: turn.output.jsonSchema } : frame;
}

function offeredTools({ tools, serverTools, permissions }: Turn): ToolUnion[] {
  const schemas = offered(permissions, tools).map(({ name, description, inputSchema }) => ({
    name,
    description,
    input_schema: { ...inputSchema, type: "object" as const },
  }));
  return [...schemas, ...serverTools.filter((tool) => !("name" in tool) || offeredUnasked(permissions, tool.name))];
}
