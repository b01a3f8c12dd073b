// What may be recorded of prompts, answers, tool inputs and results: the job's `content` setting, and limits that say
// that they cut.
import { redactor } from "./redact.ts";

export const CONTENT_POLICIES = ["full", "redacted", "none"] as const;
/** full: as it is. redacted: without secrets. none: nothing. */
export type ContentPolicy = (typeof CONTENT_POLICIES)[number];

/** Characters of one attribute. */
export const MAX_CONTENT = 32_768;
/** What is redacted beyond the limit and then left out, so that no secret is cut in half before it is seen. */
const OVERLAP = 4_096;

/**
 * Makes the function that decides over content; it is given how to make a text, since making it costs. Never throws:
 * what cannot be made is said to be so, since no tracing may fail a turn.
 */
export function contentFilter(policy: ContentPolicy, secrets: Iterable<string>) {
  if (policy === "none") return () => undefined;
  const clean = policy === "redacted" ? redactor(secrets) : (text: string) => text;
  return (make: () => string | undefined): string | undefined => {
    try {
      return limited(make() ?? "", clean);
    } catch {
      return "[cannot be recorded]"; // such as JSON of a BigInt, or of an object that holds itself
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
