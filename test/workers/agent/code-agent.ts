// An agent of plain code: the first word of the message chooses what it does.
import * as z from "zod";
import { textOfParts, textPart } from "#shared/a2a/message.ts";
import { Reply, type CodeAnswer, type CodeTurn } from "#shared/agent/code-agent.ts";
import { defineAgent, defineTool } from "#shared/agent/define-agent.ts";

/** What its tools have done, in order. */
export const done: string[] = [];
/** Tools that may go on. They look themselves, since no object can wait for another's promise. */
export const opened = new Set<string>();
const LOOK_MS = 10;

const file = (text: string) => ({ artifactId: "file", parts: [textPart(text)] });

const DOES: Readonly<Record<string, (turn: CodeTurn) => Promise<CodeAnswer> | CodeAnswer>> = {
  asks: async ({ ask, artifact }) => {
    artifact(file("the same"));
    const first = textOfParts((await ask("one?")).parts);
    const second = textOfParts((await ask("two?")).parts);
    return `${first} ${second}`;
  },
  waits: async ({ artifact, call }) => {
    artifact(file("the same"));
    return call("work", { name: "waits", when: new Date(0) });
  },
  silent: async ({ call }) => call("work", { name: "silent" }),
  replies: () => new Reply([textPart("a bare word")]),
  speaks: ({ say }) => {
    say("working");
    return new Reply([textPart("said after that")]);
  },
  forgets: ({ call }) => {
    void call("work", { name: "forgets" });
    return "ended";
  },
  appends: ({ artifact }) => {
    artifact({ ...file("1"), more: true });
    artifact({ ...file("2"), append: true });
    artifact({ ...file("3"), append: true });
  },
};

export const codeAgent = defineAgent({
  name: "Code Agent",
  description: "Does what its first word says",
  skills: [],
  tools: [
    defineTool({
      name: "work",
      description: "Works until the test lets it go on",
      input: z.object({ name: z.string(), when: z.string().optional() }),
      annotations: { readOnly: true, idempotent: true },
      async run({ name }, { signal }) {
        done.push(`began ${name}`);
        while (!opened.has(name) && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        if (signal.aborted) {
          done.push(`aborted ${name}`);
          throw signal.reason;
        }
        done.push(`did ${name}`);
        return `Did ${name}.`;
      },
    }),
  ],
  run: async (turn) => {
    const [word = ""] = textOfParts(turn.message.parts).split(" ");
    return DOES[word]?.(turn) ?? `You said: ${textOfParts(turn.message.parts)}`;
  },
});
