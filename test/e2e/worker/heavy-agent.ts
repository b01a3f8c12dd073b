// An agent with a tool that computes for long without a pause.
import * as z from "zod";
import { defineAgent } from "#shared/agent/define-agent.ts";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { compute } from "../compute.ts";

const computeTool = defineTool({
  name: "compute",
  description: "Computes.",
  input: z.object({ rounds: z.int() }),
  annotations: { readOnly: true, idempotent: true },
  run: ({ rounds }) => String(compute(rounds)),
});

const agent = defineAgent({
  name: "Heavy Agent",
  description: "Computes for long.",
  instructions: "Compute.",
  skills: [{ id: "compute", name: "Compute", description: "Computes", tags: ["compute"], examples: [] }],
  config: z.object({}),
  tools: [computeTool],
});

export default agent.worker;
export const { Session, Beacon, SessionIndex } = agent.objects;
