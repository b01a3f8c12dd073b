// Runs an agent's own code for a turn: what it says, writes and gives reaches the task and those who watch it.
import { Message, Role, type Artifact, type Part } from "@a2a-js/sdk";
import { textMessage, textPart } from "../../../a2a/message.ts";
import { toRecord } from "../../../text/plain-json.ts";
import type { CodeCalls, CodeOutcome, CodeRun } from "../../../loop/code/code-run.ts";
import type { TurnLog } from "../../../loop/log/turn-log.ts";
import type { Said } from "../../../loop/log/step.ts";
import type { LoopEvent } from "../../../loop/event.ts";
import { Rejection, Reply, type CodeArtifact, type CodeTurn, type RunCode } from "../../code-agent.ts";
import type { LiveTask } from "../tasks/live-task.ts";
import { wholeArtifact } from "../tasks/artifacts.ts";

/** Of an answer, a question or an artifact. A row of the log holds 2 MB. */
const MAX_CHARS = 1_000_000;

export interface CodeParts {
  readonly live: LiveTask;
  readonly log: TurnLog;
  readonly call: Pick<CodeTurn, "agent" | "config" | "env" | "contextId" | "taskId">;
  readonly emit: (event: LoopEvent) => void;
  readonly keep: (artifact: Artifact) => void;
}

export function codeRun(run: RunCode, parts: CodeParts): CodeRun {
  return async (calls) => answerOf(run, parts, calls);
}

async function answerOf(run: RunCode, parts: CodeParts, calls: CodeCalls): Promise<CodeOutcome> {
  const { live, log, emit } = parts;
  const [message] = live.view.history();
  if (!message) throw new Error("The message of this task is not there.");
  let written = "";
  const write = (text: string) => {
    if (calls.signal.aborted || text === "") return;
    if (written.length + text.length > MAX_CHARS)
      throw new RangeError(`The agent's answer has more than ${MAX_CHARS} characters.`);
    written += text;
    emit({ type: "text_delta", text });
  };
  const pieces = new Pieces(parts);
  const answer = await run({
    ...parts.call,
    message,
    signal: calls.signal,
    say: (text) => {
      if (!calls.signal.aborted) live.say(text);
    },
    write,
    artifact: (artifact) => {
      if (!calls.signal.aborted) pieces.give(artifact);
    },
    call: async (tool, input) => calls.call(tool, input),
    ask: async (question) => Message.fromJSON(await calls.ask(kept(questionOf(question)))),
  });
  calls.signal.throwIfAborted();
  if (answer instanceof Rejection) return { is: "rejected", reason: answer.reason };
  if (answer instanceof Reply && !live.isAnnounced) {
    log.append({ kind: "said", messages: [kept({ ...textMessage(Role.ROLE_AGENT, ""), parts: [...answer.parts] })] });
    return { is: "answer", text: "", isMessage: true };
  }
  // Clients have seen the task: the reply is its answer.
  if (answer instanceof Reply) {
    pieces.give({ artifactId: "answer", name: "Answer", parts: answer.parts.map((part) => part) });
    return { is: "answer", text: "" };
  }
  if (typeof answer === "string" && answer !== written) {
    if (written !== "") emit({ type: "model_start", turn: 1, attempt: 2 });
    written = "";
    write(answer);
  }
  return { is: "answer", text: written };
}

/** As the log keeps it. Throws RangeError for what is too large. */
function kept(message: Message): Said {
  const said = toRecord(Message.toJSON(message));
  if (JSON.stringify(said).length > MAX_CHARS)
    throw new RangeError(`A message of the agent has more than ${MAX_CHARS} characters.`);
  return said;
}

function questionOf(question: string | readonly Part[]): Message {
  const parts = typeof question === "string" ? [textPart(question)] : [...question];
  return { ...textMessage(Role.ROLE_AGENT, ""), parts };
}

/** The artifacts of one run, while their parts come. */
class Pieces {
  readonly #parts: CodeParts;
  readonly #given = new Map<string, { readonly parts: Part[]; chars: number }>();

  constructor(parts: CodeParts) {
    this.#parts = parts;
  }

  /** Publishes an artifact, or a part of it. It is kept once it is whole. Throws RangeError for one that is too large. */
  give({ append = false, more = false, ...artifact }: CodeArtifact): void {
    const piece = wholeArtifact(artifact);
    const before = append ? this.#given.get(piece.artifactId) : undefined;
    const given = before ?? { parts: [], chars: 0 };
    given.chars += piece.parts.reduce((sum, part) => sum + sizeOf(part), 0);
    if (given.chars > MAX_CHARS)
      throw new RangeError(`The artifact ${piece.artifactId.slice(0, 100)} has more than ${MAX_CHARS} characters.`);
    given.parts.push(...piece.parts);
    this.#given.set(piece.artifactId, given);
    const whole = { ...piece, parts: given.parts };
    if (more) this.#parts.live.addToArtifact(whole, piece, before !== undefined);
    else this.#parts.keep({ ...whole, parts: [...given.parts] });
  }
}

function sizeOf({ content }: Part): number {
  if (content?.$case === "text" || content?.$case === "url") return content.value.length;
  if (content?.$case === "raw") return content.value.byteLength;
  return JSON.stringify(content?.value ?? null).length;
}
