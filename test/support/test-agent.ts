// The agent that tests in workerd talk to: one tool of each kind of trouble.
import * as z from "zod";
import { filePart } from "../../shared/a2a/message.ts";
import { fetchUrl } from "../../shared/tools/fetch-url.ts";
import { defineAgent, defineTool } from "../../shared/agent/define-agent.ts";

const annotations = { readOnly: true, idempotent: true };
const none = z.object({});

/** What the tools of the test agent have done outside, in order. */
export const effects: string[] = [];

/** By the name of their object, sessions whose turns end it as soon as they have begun: how, and how often that was. */
export const endings = new Map<string, { end: () => void; count: number }>();

function endNow(session: string): void {
  const ending = endings.get(JSON.stringify(["local", session]));
  if (!ending) return;
  ending.count++;
  ending.end();
}

function fileArtifact(title: string) {
  const parts = [filePart(new TextEncoder().encode(title), "chart.csv", "text/csv")];
  return { artifactId: "chart", name: title, description: "", metadata: undefined, extensions: [], parts };
}

export const testAgent = defineAgent({
  name: "Test Agent",
  description: "Does what the tests tell it",
  instructions: "You are under test.",
  skills: [{ id: "test", name: "Testing", description: "Is tested", tags: ["test"], examples: ["say hello"] }],
  hooks: {
    SessionStart: [
      { hooks: [({ source, session_id }) => void effects.push(`${source} ${session_id}`)] },
      { hooks: [({ session_id }) => endNow(session_id)] },
    ],
    SessionEnd: [{ hooks: [({ session_id }) => void effects.push(`end ${session_id}`)] }],
  },
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
    defineTool({
      name: "chart",
      description: "Gives the task a file",
      input: z.object({ title: z.string() }),
      annotations,
      run: ({ title }, { artifact }) => {
        artifact(fileArtifact(`${title} (draft)`));
        artifact(fileArtifact(title));
        return "Charted.";
      },
    }),
    fetchUrl,
    defineTool({
      name: "pay",
      description: "Pays: not to be done twice",
      input: z.object({ to: z.string(), amount: z.number() }),
      annotations: { readOnly: false, idempotent: false },
      run: ({ to, amount }) => {
        effects.push(`paid ${to} ${amount}`);
        return `Paid ${amount} to ${to}.`;
      },
    }),
    defineTool({
      name: "post",
      description: "Posts, and hangs when told to: not to be done twice",
      input: z.object({ text: z.string(), hang: z.boolean().default(false) }),
      annotations: { readOnly: false, idempotent: false },
      run: ({ text, hang }) => {
        effects.push(`posted ${text}`);
        return hang ? new Promise<string>(() => undefined) : "Posted.";
      },
    }),
    defineTool({
      name: "remind",
      description: "Reminds, and hangs the first time: may be done twice",
      input: z.object({ text: z.string() }),
      annotations: { readOnly: false, idempotent: true },
      run: ({ text }, { idempotencyKey }) => {
        const effect = `reminded ${text} under ${idempotencyKey}`;
        const isFirst = !effects.includes(effect);
        effects.push(effect);
        return isFirst ? new Promise<string>(() => undefined) : "Reminded.";
      },
    }),
    defineTool({
      name: "consult",
      description: "Asks another agent two things, one after the other: may be done twice",
      input: z.object({ first: z.string(), second: z.string() }),
      annotations: { readOnly: false, idempotent: true },
      async run({ first, second }, { peers }) {
        const one = await peers.ask({ agent: "other", message: first });
        const two = await peers.ask({ agent: "other", message: second });
        return `${one.text} | ${two.text}`;
      },
    }),
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
