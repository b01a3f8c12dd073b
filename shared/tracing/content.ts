// Decides what may be recorded of prompts, answers, tool inputs and results: the job's `content` setting, and a size
// limit.
import { redactor } from "./redact.ts";

export const CONTENT_POLICIES = ["full", "redacted", "none"] as const;
/** full: unchanged. redacted: without secrets. none: nothing. */
export type ContentPolicy = (typeof CONTENT_POLICIES)[number];

/** Characters of one attribute. */
export const MAX_CONTENT = 32_768;
/** Characters beyond the limit that are redacted, too, so that the cut leaves no half of a secret. */
const OVERLAP = 4_096;

/**
 * Returns a filter for recorded text. The filter gets a function that makes the text, since making it costs. Never
 * throws: text that cannot be made is recorded as such, because tracing must not fail a turn.
 */
export function contentFilter(policy: ContentPolicy, secrets: Iterable<string>) {
  if (policy === "none") return () => undefined;
  const clean = policy === "redacted" ? redactor(secrets) : (text: string) => text;
  return (make: () => string | undefined): string | undefined => {
    try {
      return limited(make() ?? "", clean);
    } catch {
      return "[cannot be recorded]"; // Such as JSON of a BigInt, or of an object that contains itself.
    }
  };
}

function limited(text: string, clean: (text: string) => string): string {
  if (text.length <= MAX_CONTENT) return clean(text);
  const begin = clean(text.slice(0, MAX_CONTENT + OVERLAP))
    .slice(0, -OVERLAP)
    .toWellFormed();
  return `${begin}\n[cut: ${text.length - MAX_CONTENT} of ${text.length} characters left out]`;
}
