// Writes a turn's answer from the results in the transcript: quotes with [n], the result of the check, the sources.
import { bestSentences, numberSources, type Quote } from "#shared/retrieval/cite.ts";
import {
  formatPassages,
  formatSources,
  parsePassages,
  parseSources,
  withoutSources,
  type Passage,
} from "#shared/retrieval/passages.ts";
import { namesMeasure, titleTokens } from "#shared/retrieval/question.ts";
import { readText } from "#shared/retrieval/reading.ts";
import { relatedStems } from "#shared/retrieval/related-words.ts";
import { keyWords, tokenize } from "#shared/retrieval/tokens.ts";
import { lackingTool } from "../calls/plan.ts";
import { callTo, callsOf, citedTexts, usablePassages, type Task } from "../reading/task.ts";
import { readVerdicts, writeVerdicts } from "../reading/verdicts.ts";

/** Tells a person that no language model wrote the text. */
const EXTRACTED = "(Extracted from the sources by rules; no language model wrote this.)";
export const BY_RULES = "(Answered by rules; no language model wrote this.)";

const MOST_QUOTES = 6;
/** Quotes when the sources hardly mention the question. */
const FEW_QUOTES = 3;
const MOST_PASSAGES = 8;
const MOST_RESULT = 2_000;
/** Names in a row. */
const MOST_NAMED = 12;

export function writeAnswer(task: Task): string {
  const passages = usablePassages(task).slice(0, MOST_PASSAGES);
  const verdicts = readVerdicts(callsOf(task, "check"));
  const searched = callsOf(task, "search").length + callsOf(task, "fetch").length > 0;
  if (task.transcript.askedBy !== null && searched && passages.length > 0) {
    return [formatPassages(passages), formatSources(passages.map(({ source }) => source))].join("\n\n");
  }
  const { quotes, digested } = chooseQuotes(task, passages);
  const digesting = callsOf(task, "digest").length > 0;
  // An agent that only checks answers with verdicts, not with a summary.
  const onlyChecks = verdicts.length > 0 && !digesting && !searched && task.peers.length === 0;
  const missing = missingWords(task, passages);
  const shown = onlyChecks ? [] : quotes.slice(0, missing.most ? FEW_QUOTES : MOST_QUOTES);
  const checked = writeVerdicts(verdicts, passages);
  const { lines, sources } = numberSources([...shown, ...checked.quotes]);
  const quoted = lines.slice(0, shown.length);
  const asList = digested || task.transcript.askedBy !== null;
  const body = [
    checked.summary,
    missing.most && shown.length > 0 ? `${missing.remark} What comes closest:` : "",
    asList ? quoted.map((line) => `- ${line}`).join("\n") : paragraphs(shown, quoted),
    lines
      .slice(shown.length)
      .map((line, index) => `- ${checked.labels[index]}: ${line}`)
      .join("\n"),
    ...otherResults(task),
    quotes.length + verdicts.length === 0 ? nothingFound(task, passages) : missing.most ? "" : missing.remark,
    checkedByPeer(task),
    ...failures(task),
    task.transcript.askedBy !== null ? "" : sources.length > 0 ? EXTRACTED : BY_RULES,
    formatSources(sources),
  ];
  return body.filter((part) => part !== "").join("\n\n");
}

/** The cited sentences; those of one source form one paragraph. */
function paragraphs(quotes: readonly Quote[], lines: readonly string[]): string {
  return lines
    .map((line, index) => {
      const joins = quotes[index]?.passage.source === quotes[index - 1]?.passage.source;
      return `${index === 0 ? "" : joins ? " " : "\n\n"}${line}`;
    })
    .join("");
}

/** The sentences that a digest of these passages chose, or else our own choice. Ignores numbers without a passage. */
function chooseQuotes(task: Task, passages: readonly Passage[]): { quotes: Quote[]; digested: boolean } {
  const own = callsOf(task, "digest")[0];
  const peer = callTo(task, task.roles.digest);
  const call = own ?? peer;
  const sent =
    call === undefined
      ? []
      : parsePassages(
          Object.values(call.input)
            .filter((value) => typeof value === "string")
            .join("\n\n"),
        );
  const listed = parseSources(call?.result ?? "");
  const bySource = new Map(sent.toReversed().map((one) => [one.source, one]));
  const byNumber = new Map(sent.toReversed().map((one) => [one.number, one]));
  const quotes =
    call === undefined || call.isError || passages.length === 0
      ? []
      : citedTexts(call.result).flatMap(({ text, numbers }): Quote[] => {
          // An agent may renumber: its own list maps numbers to sources.
          const [number = 0] = numbers;
          const passage = listed.size > 0 ? bySource.get(listed.get(number) ?? "") : byNumber.get(number);
          return passage === undefined ? [] : [{ text, passage }];
        });
  if (quotes.length > 0) return { quotes: quotes.slice(0, MOST_QUOTES), digested: own !== undefined };
  return { quotes: bestSentences(task.question, passages), digested: false };
}

/** Results of tools and agents without passages, unchanged. */
function otherResults(task: Task): string[] {
  const results = callsOf(task, "other")
    .filter(({ isError }) => !isError)
    .map(({ name, result }) => `${name}: ${result.trim()}`);
  const noRole = Object.keys(task.roles).length === 0 && task.found.length === 0;
  const answers = noRole
    ? callsOf(task, "delegate")
        .filter(({ isError }) => !isError)
        .map(({ result }) => result.trim())
    : [];
  return [...results, ...answers].filter((text) => text !== "").map((text) => text.slice(0, MOST_RESULT));
}

function nothingFound(task: Task, passages: readonly Passage[]): string {
  if (otherResults(task).length > 0) return "";
  if (passages.length > 0)
    return `There is text at hand for this, but no words in it to quote: ${sourcesIn(passages)}.`;
  const needsText = task.tools.some(({ kind }) => kind === "digest" || kind === "check");
  const canSearch = task.tools.some(({ kind }) => kind === "search") || task.roles.search !== undefined;
  if (needsText && !canSearch)
    return "No text came with this question, so there is nothing to work on. Send the passages along.";
  if (canSearch)
    return `Nothing relevant was found for “${task.asked.slice(0, 300)}”: none of the sources that could be searched is about it.`;
  if (failures(task).length > 0) return "";
  const lacking = lackingTool(task);
  const needs =
    lacking === undefined
      ? ""
      : ` The tool ${lacking.name} needs what the question does not say: ${lacking.missing.slice(0, MOST_NAMED).join(", ")}.`;
  return `There is no tool or text here that this could be answered from.${needs}`;
}

function sourcesIn(passages: readonly Passage[]): string {
  return [...new Set(passages.map(({ source }) => source))].slice(0, MOST_NAMED).join(", ");
}

/** Words of the question that no passage mentions: always names; other words only when they are `most` of it. */
function missingWords(task: Task, passages: readonly Passage[]): { remark: string; most: boolean } {
  if (task.transcript.askedBy !== null || task.given.length > 0 || passages.length === 0)
    return { remark: "", most: false };
  const known = new Set(passages.flatMap(({ title, text }) => [...titleTokens(title), ...readText(text).words.tokens]));
  const asked = keyWords(task.asked).filter((word) => !namesMeasure(word));
  const missing = asked.filter(
    (word) =>
      !tokenize(word).every((token) => known.has(token) || [...relatedStems(token)].some((other) => known.has(other))),
  );
  const most = missing.length * 2 > asked.length || (missing.length > 1 && missing.length * 2 === asked.length);
  const telling = most
    ? missing
    : missing.filter((word) => /\p{Lu}|\p{N}/u.test(word) && !task.asked.trimStart().startsWith(word));
  const named = telling.slice(0, MOST_NAMED).join(", ");
  return { remark: named === "" ? "" : `The sources do not mention: ${named}.`, most };
}

/** The first line of the checking agent's answer, without its numbers, which refer to another list. */
function checkedByPeer(task: Task): string {
  const call = callTo(task, task.roles.check);
  if (call === undefined || call.isError || task.found.length + task.given.length === 0) return "";
  const line =
    withoutSources(call.result)
      .split("\n")
      .find((text) => text.trim() !== "") ?? "";
  const said = line
    .slice(0, MOST_RESULT)
    .replace(/\s*\[\d+\]/g, "")
    .trim()
    .slice(0, 300);
  return said === "" ? "" : `Check: ${said}`;
}

function failures(task: Task): string[] {
  const failed = task.transcript.current.calls.filter(({ isError }) => isError);
  const said = failed.map((call) => {
    const asked = task.peers.find((peer) => callTo(task, peer) === call);
    const reason = call.result.split("\n")[0]?.trim().slice(0, 200) ?? "";
    return asked === undefined
      ? `The tool ${call.name} failed: ${reason}`
      : `The agent ${asked.id} could not help: ${reason}`;
  });
  return [...new Set(said)];
}
