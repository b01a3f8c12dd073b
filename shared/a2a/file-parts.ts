// Files in messages (A2A 1.0, section 4.1.6). A model gets the text of those that hold text.
import type { Part } from "@a2a-js/sdk";
import { ContentTypeNotSupportedError } from "@a2a-js/sdk/errors";
import { decodeText } from "../text/decode.ts";
import { inOneLine } from "../text/visible.ts";

/** Media types of text that agents name in their cards. Files of other types are taken, too, where their bytes are text. */
export const TEXT_TYPES = [
  "text/plain",
  "text/markdown",
  "text/csv",
  "text/html",
  "application/json",
  "application/xml",
  "application/yaml",
];

const MAX_NAME = 200;

/** Throws ContentTypeNotSupportedError for a file of a type that is not among `modes` (A2A 1.0, section 3.3.2). */
export function checkModes(parts: readonly Part[], modes: readonly string[]): void {
  for (const [index, { content, mediaType }] of parts.entries()) {
    const type = mediaType.split(";")[0]?.trim().toLowerCase() ?? "";
    const isFile = content?.$case === "raw" || content?.$case === "url";
    if (!isFile || type === "" || modes.some((mode) => fits(type, mode.toLowerCase()))) continue;
    throw new ContentTypeNotSupportedError(
      `message.parts[${index}] is a file of type ${shown(mediaType)}; this agent takes ${modes.join(", ")}.`,
    );
  }
}

// A mode may end in a star for all types of its kind, or be a star for all.
function fits(type: string, mode: string): boolean {
  return mode === type || mode === "*/*" || (mode.endsWith("/*") && type.startsWith(mode.slice(0, -1)));
}

/** What a model reads of a file: its name and type in a line, then its text. Throws ContentTypeNotSupportedError. */
export function fileText({ content, filename, mediaType }: Part, index: number): string {
  const name = filename === "" ? `message.parts[${index}]` : `the file ${shown(filename)}`;
  if (content?.$case !== "raw")
    throw new ContentTypeNotSupportedError(
      `${name} is only named by its URL, which this agent does not open: send the bytes themselves.`,
    );
  const [type = "", ...parameters] = mediaType.split(";");
  const charset = parameters.map((parameter) => /^\s*charset="?([\w-]{1,40})"?\s*$/i.exec(parameter)?.[1]);
  const decoded = isMedia(type) ? undefined : decodeText(content.value, charset.find(Boolean));
  if (decoded === undefined || "reason" in decoded)
    throw new ContentTypeNotSupportedError(
      `${name}${mediaType === "" ? "" : ` (${shown(mediaType)})`} ${decoded?.reason ?? "holds no text"}: this agent takes files of text.`,
    );
  const about = [filename, mediaType].filter((text) => text !== "").map(shown);
  return `[File${about.length === 0 ? "" : `: ${about.join(", ")}`}]\n${decoded.text}`;
}

/** Files that hold no text for certain. */
function isMedia(type: string): boolean {
  return /^(image|audio|video|font)\//i.test(type) && !/\bsvg\b/i.test(type);
}

function shown(text: string): string {
  return inOneLine(text.slice(0, MAX_NAME));
}
