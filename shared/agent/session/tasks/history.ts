// The messages of a task as they were said (A2A 1.0, section 4.1.1): the one that opened it, then each question of the agent and its answer.
import { Message, Part, Role } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { textMessage, textPart } from "../../../a2a/message.ts";
import { toRecord } from "../../../text/plain-json.ts";
import type { Said, Step } from "../../../loop/log/step.ts";
import type { TaskRow } from "./task-row.ts";

export type SaidStep = Extract<Step, { kind: "said" }>;

const TOO_LONG = "[This question was too long to be kept.]";
/** Bytes of a step. A row of SQLite holds 2 MB. */
const MAX_STEP = 1_900_000;

/** The message in the form that a log keeps; undefined where its text says all of it. Throws RequestMalformedError for one that no row holds. */
export function saidOf(message: Message, text: string): Said | undefined {
  if (isPlain(message)) return undefined;
  const said = toSaid(message);
  const bytes = new TextEncoder().encode(JSON.stringify({ said, text })).byteLength;
  if (bytes > MAX_STEP)
    throw new RequestMalformedError(
      `The message takes ${bytes} bytes to keep; the limit is ${MAX_STEP}. Send less at once.`,
    );
  return said;
}

/** The agent's question and the answer to it, for the log. A question that no row holds is kept without its data. */
export function exchange(question: Message, answer: Message): SaidStep {
  const texts = question.parts.filter(({ content }) => content?.$case === "text");
  const forms = [question, { ...question, parts: texts }, { ...question, parts: [textPart(TOO_LONG)] }];
  const messages = forms.map((form) => [toSaid(form), toSaid(answer)]);
  const bytesOf = (said: readonly Said[]) => new TextEncoder().encode(JSON.stringify(said)).byteLength;
  return { kind: "said", messages: messages.find((said) => bytesOf(said) <= MAX_STEP) ?? messages.at(-1) ?? [] };
}

/** The messages of a task with this id, in order. */
export function historyOf(id: string, row: TaskRow, first: Step | undefined, later: readonly SaidStep[]): Message[] {
  if (first?.kind !== "user") return [];
  const ids = { contextId: row.contextId, taskId: id };
  const opening = first.said
    ? fromSaid(first.said)
    : textMessage(Role.ROLE_USER, first.text, { messageId: row.messageId ?? `${id}/question` });
  return [opening, ...later.flatMap(({ messages }) => messages.map(fromSaid))].map((message) => ({
    ...message,
    ...ids,
  }));
}

/** Whether two messages with the same id say the same. */
export function isSame(a: Message | undefined, b: Message): boolean {
  return a !== undefined && JSON.stringify(contentOf(a)) === JSON.stringify(contentOf(b));
}

function contentOf(message: Message): unknown {
  return message.parts.map((part) => Part.toJSON(withType(part)));
}

/** Text has a media type, whether the sender says it or not. */
function withType(part: Part): Part {
  return part.content?.$case === "text" && part.mediaType === "" ? { ...part, mediaType: "text/plain" } : part;
}

function isPlain({ parts, role, metadata, extensions, referenceTaskIds }: Message): boolean {
  const [part, ...more] = parts;
  if (part?.content?.$case !== "text" || more.length > 0 || role !== Role.ROLE_USER) return false;
  if (metadata !== undefined || extensions.length > 0 || referenceTaskIds.length > 0) return false;
  const isText = part.mediaType === "" || part.mediaType === "text/plain";
  return isText && part.metadata === undefined && part.filename === "" && part.content.value.isWellFormed();
}

function toSaid(message: Message): Said {
  return toRecord(Message.toJSON(message));
}

function fromSaid(said: Said): Message {
  return Message.fromJSON(said);
}
