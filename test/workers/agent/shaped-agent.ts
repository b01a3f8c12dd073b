// An agent that answers in a shape.
import * as z from "zod";
import { defineAgent } from "../../../shared/agent/define-agent.ts";

export const shapedAgent = defineAgent({
  name: "Shaped Agent",
  description: "Answers in data",
  instructions: "You are under test.",
  skills: [],
  tools: [],
  outputSchema: z.object({ city: z.string(), people: z.int().min(1) }),
});
