// The agent that tests in workerd talk to: one tool of each kind of trouble.
import * as z from "zod";
import { fetchUrl } from "../../shared/tools/fetch-url.ts";
import { defineAgent, defineTool } from "../../shared/agent/define-agent.ts";

const annotations = { readOnly: true, idempotent: true };
const none = z.object({});

export const testAgent = defineAgent({
  name: "Test Agent",
  description: "Does what the tests tell it",
  instructions: "You are under test.",
  skills: [{ id: "test", name: "Testing", description: "Is tested", tags: ["test"], examples: ["say hello"] }],
  tools: [
    defineTool({
      name: "echo",
      description: "Echoes",
      input: z.object({ text: z.string() }),
      annotations,
      run: ({ text }) => text,
    }),
    defineTool({
      name: "long",
      description: "Returns 5 MB",
      input: none,
      annotations,
      run: () => "x".repeat(5_000_000),
    }),
    defineTool({
      name: "hang",
      description: "Never returns",
      input: none,
      annotations,
      run: () => new Promise<string>(() => undefined),
    }),
    defineTool({
      name: "brief",
      description: "Never returns either, but has little time",
      input: none,
      annotations,
      limitMs: 20,
      run: () => new Promise<string>(() => undefined),
    }),
    defineTool({
      name: "mute",
      description: "Returns what is no text",
      input: none,
      annotations,
      // SAFETY: not safe on purpose.
      run: () => "".at(0) as string,
    }),
    fetchUrl,
    defineTool({
      name: "throw",
      description: "Throws",
      input: none,
      annotations,
      run: () => {
        throw new Error("thrown on purpose");
      },
    }),
  ],
});
