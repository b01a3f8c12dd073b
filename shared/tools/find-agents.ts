// find_agents: searches the registry for agents by what they can do.
import * as z from "zod";
import { defineTool } from "../loop/tools/tool.ts";

export const findAgents = defineTool({
  name: "find_agents",
  description:
    "Finds agents that can help, by a full-text search over their names, descriptions and skills. " +
    "Returns the name to use with query_agent, whether the agent is alive, and what it does.",
  input: z.object({ query: z.string().max(500).describe("What you need done, in a few words; empty for every agent") }),
  annotations: { readOnly: true, idempotent: true, communication: true },
  async run({ query }, { peers }) {
    const found = await peers.find(query);
    if (found.length === 0) return "No agent matches. Try other words, or an empty query for every agent.";
    return found
      .map(({ id, state, description, skills }) => `- ${id} (${state}): ${description} Skills: ${skills.join(", ")}`)
      .join("\n");
  },
});
