// query_agent: asks another agent by name and returns its answer. The schema is constant within a session, for prompt
// caching.
import * as z from "zod";
import type { PeerProfile } from "../loop/tools/peers.ts";
import { defineTool, type Tool } from "../loop/tools/tool.ts";

/** `neighbours` are the agents that can be asked; undefined in a dynamic topology, where find_agents decides. */
export function queryAgent(neighbours: readonly PeerProfile[] | undefined): Tool {
  const ids = neighbours?.map(({ id }) => id) ?? [];
  return defineTool({
    name: "query_agent",
    description: neighbours
      ? `Asks another agent and waits for its answer. The agents you can ask:\n${neighbours.map(line).join("\n")}`
      : "Asks another agent and waits for its answer. Only agents that find_agents returned in this conversation can be asked.",
    input: z.object({
      agent: (neighbours ? z.enum(ids) : z.string()).describe("The agent's name"),
      message: z
        .string()
        .min(1)
        .describe(
          "The whole question with everything needed to answer it: the agent knows nothing of this conversation",
        ),
      thread: z
        .int()
        .positive()
        .optional()
        .describe("Number of an earlier conversation with this agent to go on with; leave out to begin a new one"),
    }),
    // A repeated question leads to the same task: the peer recognises its key.
    annotations: { readOnly: false, idempotent: true, communication: true },
    limitMs: null,
    asksItsInput: true,
    async run(question, { peers }) {
      const answer = await peers.ask(question);
      return `${answer.text}\n\n(thread ${answer.thread})`;
    },
  });
}

function line({ id, description, skills }: PeerProfile): string {
  return `- ${id}: ${description}${skills.length > 0 ? ` Skills: ${skills.join(", ")}` : ""}`;
}
