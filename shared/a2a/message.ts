// A2A messages and their parts.
import { Part, TaskState, taskStateToJSON, type Message, type Role } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { fileText } from "./file-parts.ts";

/** Throws RequestMalformedError for a message that holds nothing. */
export function checkParts({ parts }: Message): void {
  if (parts.length === 0) throw new RequestMalformedError("message.parts is empty: send at least one text part.");
  const empty = parts.findIndex(({ content }) => content === undefined);
  if (empty !== -1)
    throw new RequestMalformedError(`message.parts[${empty}] has no content: it needs text, data, raw or url.`);
}

/** The text of a checked message for the model: text parts unchanged, data parts as JSON, files of text with their names. Throws A2AError. */
export function textOf(message: Message): string {
  const text = message.parts.map(partText).join("\n\n");
  if (text.trim() === "")
    throw new RequestMalformedError("message.parts holds no text: send at least one text part that says something.");
  return text.toWellFormed();
}

/** As textOf, with the names of files only. Never throws, and may be empty. */
export function plainTextOf({ parts }: Message): string {
  return parts
    .map(({ content, filename, mediaType }) => {
      if (content?.$case === "text") return content.value;
      if (content?.$case === "data") return JSON.stringify(content.value);
      return `[file ${filename || mediaType || "without a name"}]`;
    })
    .join("\n\n")
    .toWellFormed();
}

function partText(part: Part, index: number): string {
  switch (part.content?.$case) {
    case "text":
      return part.content.value;
    case "data":
      return JSON.stringify(part.content.value);
    case "raw":
    case "url":
      return fileText(part, index);
    case undefined:
      return "";
  }
}

/** The text parts of an answer, joined. Skips other parts. */
export function textOfParts(parts: readonly Part[] = []): string {
  return parts.map(({ content }) => (content?.$case === "text" ? content.value : "")).join("");
}

export function textPart(text: string): Part {
  return { content: { $case: "text", value: text }, metadata: undefined, filename: "", mediaType: "text/plain" };
}

/** Structured data; `value` is any JSON value. */
export function dataPart(value: unknown): Part {
  return { content: { $case: "data", value }, metadata: undefined, filename: "", mediaType: "application/json" };
}

/** A file with its bytes. */
export function filePart(bytes: Uint8Array, filename: string, mediaType: string): Part {
  // By way of JSON: Workers and Node type `Buffer` differently.
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return Part.fromJSON({ raw: btoa(binary), filename, mediaType });
}

/** A file by its address. */
export function urlPart(url: string, filename: string, mediaType: string): Part {
  return { content: { $case: "url", value: url }, metadata: undefined, filename, mediaType };
}

/** A message with one text part. */
export function textMessage(
  role: Role.ROLE_USER | Role.ROLE_AGENT,
  text: string,
  ids: { readonly messageId?: string; readonly contextId?: string; readonly taskId?: string } = {},
): Message {
  return {
    messageId: ids.messageId ?? crypto.randomUUID(),
    contextId: ids.contextId ?? "",
    taskId: ids.taskId ?? "",
    role,
    parts: [textPart(text)],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  };
}

/** A task's state in plain letters: completed, input-required. */
export function nameOfState(state: TaskState): string {
  return taskStateToJSON(state)
    .replace(/^TASK_STATE_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}

/** Whether the state is final (A2A 1.0, section 4.1.3). */
export function isTerminal(state: TaskState): boolean {
  switch (state) {
    case TaskState.TASK_STATE_COMPLETED:
    case TaskState.TASK_STATE_FAILED:
    case TaskState.TASK_STATE_CANCELED:
    case TaskState.TASK_STATE_REJECTED:
      return true;
    default:
      return false;
  }
}
