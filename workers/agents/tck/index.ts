// Plays the scenarios of the A2A Technology Compatibility Kit, and shows what an agent of plain code can do. The beginning of the message's
// id chooses the scenario. https://github.com/a2aproject/a2a-tck (docs/SUT_REQUIREMENTS.md)
import { dataPart, filePart, textOfParts, textPart, urlPart } from "#shared/a2a/message.ts";
import { type CodeAnswer, type CodeTurn, Rejection, Reply } from "#shared/agent/code-agent.ts";
import { defineAgent } from "#shared/agent/define-agent.ts";
import { TEXT_TYPES } from "#shared/a2a/file-parts.ts";

/** The kit subscribes to a task that has to work for at least four seconds. */
const LONG_MS = 5_000;
const UPDATE_MS = 500;
const MOST_ROUNDS = 100;

const file = filePart(new TextEncoder().encode("Generated file content"), "output.txt", "text/plain");

const artifact = (...parts: Parameters<CodeTurn["artifact"]>[0]["parts"]) =>
  ({ artifactId: "output", name: "Output", parts }) as const;

function works({ say }: CodeTurn): void {
  say("Working");
}

/** By the beginning of the message's id. Of two that fit, the longer one counts. */
const SCENARIOS: Readonly<Record<string, (turn: CodeTurn) => Promise<CodeAnswer> | CodeAnswer>> = {
  "tck-complete-task": () => "Hello from TCK",
  "tck-artifact-text": (turn) => turn.artifact(artifact(textPart("Generated text content"))),
  "tck-artifact-file": (turn) => turn.artifact(artifact(file)),
  "tck-artifact-file-url": (turn) =>
    turn.artifact(artifact(urlPart("https://example.com/output.txt", "output.txt", "text/plain"))),
  "tck-artifact-data": (turn) => turn.artifact(artifact(dataPart({ key: "value", count: 42 }))),
  "tck-message-response": () => new Reply([textPart("Direct message response")]),
  "tck-input-required": async ({ ask }) => {
    const { parts } = await ask("What else should it know?");
    return `It was told ${parts.length} parts.`;
  },
  "tck-reject-task": () => new Rejection("rejected"),
  "tck-stream-001": (turn) => {
    works(turn);
    return "Stream hello from TCK";
  },
  "tck-stream-002": () => undefined,
  "tck-stream-003": (turn) => {
    works(turn);
    return "Stream task lifecycle";
  },
  "tck-stream-ordering-001": (turn) => {
    works(turn);
    return "Ordered output";
  },
  "tck-stream-artifact-text": (turn) => {
    works(turn);
    turn.artifact(artifact(textPart("Streamed text content")));
  },
  "tck-stream-artifact-file": (turn) => {
    works(turn);
    turn.artifact(artifact(file));
  },
  "tck-stream-artifact-chunked": (turn) => {
    works(turn);
    turn.artifact({ ...artifact(textPart("chunk-1 ")), more: true });
    turn.artifact({ ...artifact(textPart("chunk-2")), append: true });
  },
  "test-resubscribe-message-id": async ({ say, signal }) => {
    const until = Date.now() + LONG_MS;
    for (let n = 1; Date.now() < until && !signal.aborted; n++) {
      say(`Update ${n}`);
      await new Promise((resolve) => setTimeout(resolve, UPDATE_MS));
    }
    return "It has worked long enough.";
  },
};

/** Without a scenario the kit continues and cancels the task: it goes on until it is told `done`. */
async function converse({ ask }: CodeTurn): Promise<string> {
  for (let n = 1; n <= MOST_ROUNDS; n++) {
    const { parts } = await ask("There is no such scenario. What else? Say done to end.");
    if (textOfParts(parts).trim() === "done") return `It was told ${n} times.`;
  }
  return "That was enough.";
}

const agent = defineAgent({
  name: "TCK Agent",
  description: "Plays the scenarios of the A2A Technology Compatibility Kit",
  inputModes: [...TEXT_TYPES],
  outputModes: ["text/plain", "application/json"],
  skills: [
    {
      id: "tck",
      name: "Scenarios of the TCK",
      description: "Completes, rejects, asks, streams and gives artifacts, as the message's id says",
      tags: ["tck", "conformance"],
      examples: ["a message with the id tck-complete-task-1"],
    },
  ],
  tools: [],
  async run(turn) {
    const [, scenario] =
      Object.entries(SCENARIOS)
        .filter(([prefix]) => turn.message.messageId.startsWith(prefix))
        .toSorted(([a], [b]) => b.length - a.length)[0] ?? [];
    return scenario ? scenario(turn) : converse(turn);
  },
});

export default agent.worker;
export const { Session, Beacon, SessionIndex } = agent.objects;
