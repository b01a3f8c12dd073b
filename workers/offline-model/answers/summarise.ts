// Compaction by rules: quotes questions, used tools, findings and answers of each turn. The latest turns are kept
// first.
import { COMPACTION_OPENING } from "#shared/loop/compaction/prompt.ts";
import { bestSentences } from "#shared/retrieval/cite.ts";
import type { MessagesRequest } from "../api/request.ts";
import { readTranscript, type Call, type Exchange } from "../reading/transcript.ts";

/** Limits of a summary: a share of the summarised text, and characters. */
const MOST_SHARE = 1 / 5;
const MOST_CHARS = 4_000;
/** Characters of the conversation that are read, the latest turns first. */
const MOST_READ = 100_000;
/** Characters of a message that is quoted as a whole. */
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
  const turns = onlyAsksForSummary(current) ? earlier : [...earlier, current];
  const pieces = new Pieces();
  for (const turn of turns.toReversed()) {
    const lines = linesOf(turn, pieces).join("\n");
    const part = lines.slice(0, Math.max(0, left - 2)).toWellFormed();
    if (part === "") break;
    kept.unshift(part);
    left -= part.length + 2;
  }
  return [HEAD, ...kept].join("\n\n");
}

/** Whether a turn only asks for a summary. */
function onlyAsksForSummary({ question, calls, answer }: Exchange): boolean {
  return (
    calls.length === 0 &&
    answer === "" &&
    question.length <= MOST_QUOTED &&
    /^(?:please )?summari[sz]e\b/i.test(question)
  );
}

/** Bounds the characters that are read to choose sentences. */
class Pieces {
  #left = MOST_READ;

  of(text: string): string {
    const piece = text.slice(0, this.#left).toWellFormed();
    this.#left -= piece.length;
    return piece;
  }
}

function linesOf({ question, calls, answer }: Exchange, pieces: Pieces): string[] {
  const worked = calls.filter(({ isError }) => !isError);
  return [
    quoteUnder("Asked", pieces.of(question), ""),
    calls.length > 0 ? `Tools used: ${toolsOf(calls)}` : "",
    ...new Set(calls.filter(({ isError }) => isError).map(describeFailure)),
    quoteUnder("Answered", pieces.of(answer), question),
    // The longest part comes last, where it is cut first.
    quoteUnder("Found", pieces.of(worked.map(({ result }) => result).join("\n\n")), question),
  ].filter((line) => line !== "");
}

/** A short text as a whole; of a long one the sentences that say most about the question. */
function quoteUnder(label: string, text: string, about: string): string {
  const flat = text.replaceAll(/\s+/g, " ").trim();
  if (flat === "") return "";
  if (flat.length <= MOST_QUOTED) return `${label}: ${flat}`;
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

function describeFailure({ name, result }: Call): string {
  return `Failed: ${name}: ${result.split("\n")[0]?.slice(0, MOST_QUOTED) ?? ""}`;
}
