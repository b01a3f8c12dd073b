// Runs an agent's own code for a turn: what it says, writes and gives reaches the task and those who watch it.
import { Message, Role, type Artifact, type Part } from "@a2a-js/sdk";
import { textMessage, textPart } from "../../../a2a/message.ts";
import { toRecord } from "../../../text/plain-json.ts";
import type { CodeCalls, CodeOutcome, CodeRun } from "../../../loop/code/code-run.ts";
import type { TurnLog } from "../../../loop/log/turn-log.ts";
import type { LoopEvent } from "../../../loop/event.ts";
import { Rejection, Reply, type CodeArtifact, type CodeTurn, type RunCode } from "../../code-agent.ts";
import type { LiveTask } from "../tasks/live-task.ts";
import { wholeArtifact } from "../tasks/artifacts.ts";

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
    written += text;
    emit({ type: "text_delta", text });
  };
  const answer = await run({
    ...parts.call,
    message,
    signal: calls.signal,
    say: (text) => {
      if (!calls.signal.aborted) live.say(text);
    },
    write,
    artifact: (artifact) => {
      if (!calls.signal.aborted) give(artifact, parts);
    },
    call: async (tool, input) => calls.call(tool, input),
    ask: async (question) => Message.fromJSON(await calls.ask(toRecord(Message.toJSON(questionOf(question))))),
  });
  calls.signal.throwIfAborted();
  if (answer instanceof Rejection) return { is: "rejected", reason: answer.reason };
  if (answer instanceof Reply) {
    const said = { ...textMessage(Role.ROLE_AGENT, ""), parts: [...answer.parts] };
    log.append({ kind: "said", messages: [toRecord(Message.toJSON(said))] });
    return { is: "answer", text: "", isMessage: true };
  }
  if (typeof answer === "string" && answer !== written) {
    if (written !== "") emit({ type: "model_start", turn: 1, attempt: 2 });
    emit({ type: "text_delta", text: answer });
    written = answer;
  }
  return { is: "answer", text: written };
}

function questionOf(question: string | readonly Part[]): Message {
  const parts = typeof question === "string" ? [textPart(question)] : [...question];
  return { ...textMessage(Role.ROLE_AGENT, ""), parts };
}

/** Publishes an artifact, or a part of it. It is kept once it is whole. */
function give({ append = false, more = false, ...given }: CodeArtifact, { live, keep }: CodeParts): void {
  const piece = wholeArtifact(given);
  const before = append ? live.unfinished(piece.artifactId) : undefined;
  const whole = before ? { ...piece, parts: [...before.parts, ...piece.parts] } : piece;
  if (more) live.addToArtifact(whole, piece, before !== undefined);
  else keep(whole);
}
