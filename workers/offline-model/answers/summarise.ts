// Compaction by rules: what was asked, which tools were used, what was found and answered, quoted; the latest turns
// first to be kept.
import { COMPACTION_OPENING } from "#shared/loop/compaction/prompt.ts";
import { bestSentences } from "#shared/retrieval/cite.ts";
import type { MessagesRequest } from "../api/request.ts";
import { readTranscript } from "../reading/transcript.ts";
import type { Call, Exchange } from "../reading/transcript.ts";

/** A summary has at most this part of what it stands for, and so many characters. */
const MOST_SHARE = 1 / 5;
const MOST_CHARS = 4_000;
/** Characters of a quoted message that is short enough to stand as it is. */
const MOST_QUOTED = 300;
const MOST_SENTENCES = 4;
const HEAD = "Extracted from the conversation by rules:";

/** Whether the request asks for a summary of its messages. */
export function asksForSummary({ system }: Pick<MessagesRequest, "system">): boolean {
  const text = typeof system === "string" ? system : (system?.[0]?.text ?? "");
  return text.trimStart().startsWith(COMPACTION_OPENING);
}

export function summarise(request: Pick<MessagesRequest, "system" | "messages">): string {
  const { earlier, current } = readTranscript(request);
  let left = Math.min(MOST_CHARS, Math.floor(JSON.stringify(request.messages).length * MOST_SHARE)) - HEAD.length;
  const kept: string[] = [];
  const turns = isWish(current) ? earlier : [...earlier, current];
  for (const turn of turns.toReversed()) {
    const lines = linesOf(turn).join("\n");
    const part = lines.slice(0, Math.max(0, left - 2)).toWellFormed();
    if (part === "") break;
    kept.unshift(part);
    left -= part.length + 2;
  }
  return [HEAD, ...kept].join("\n\n");
}

/** Whether all that a turn says is that a summary is wanted. */
function isWish({ question, calls, answer }: Exchange): boolean {
  return (
    calls.length === 0 &&
    answer === "" &&
    question.length <= MOST_QUOTED &&
    /^(?:please )?summari[sz]e\b/i.test(question)
  );
}

function linesOf({ question, calls, answer }: Exchange): string[] {
  const worked = calls.filter(({ isError }) => !isError);
  return [
    said("Asked", question, question),
    calls.length > 0 ? `Tools used: ${toolsOf(calls)}` : "",
    ...new Set(calls.filter(({ isError }) => isError).map(failed)),
    said("Answered", answer, question),
    // The longest comes last: where there is little room, the end is cut off.
    said("Found", worked.map(({ result }) => result).join("\n\n"), question),
  ].filter((line) => line !== "");
}

/** Short text as it is, of long text the sentences that say most about the question. */
function said(label: string, text: string, question: string): string {
  const flat = text.replaceAll(/\s+/g, " ").trim();
  if (flat === "") return "";
  if (flat.length <= MOST_QUOTED) return `${label}: ${flat}`;
  const about = question === text ? "" : question;
  const sentences = bestSentences(about, [{ title: "", source: "", text }], MOST_SENTENCES).map((quote) => quote.text);
  return `${label}: ${sentences.length > 0 ? sentences.join(" ") : `${flat.slice(0, MOST_QUOTED)}…`}`;
}

/** `web_search (2), query_agent: searcher` */
function toolsOf(calls: readonly Call[]): string {
  const counts = new Map<string, number>();
  for (const { name, input } of calls) {
    const agent = typeof input["agent"] === "string" ? `${name}: ${input["agent"]}` : name;
    counts.set(agent, (counts.get(agent) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)).join(", ");
}

function failed({ name, result }: Call): string {
  return `Failed: ${name}: ${result.split("\n")[0]?.slice(0, MOST_QUOTED) ?? ""}`;
}
