// Answers that need no research: greetings and questions about the conversation. Also finds what a follow-up question
// refers to.
import { keyWords, questionTerms, tokenize } from "#shared/retrieval/tokens.ts";
import type { Transcript, Exchange } from "./transcript.ts";

const GREETING = /^(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings)(?: (?:there|all|everyone))?[\s!.,]*$/i;
const THANKS = /^(?:thanks?|thank you|thx|great|ok(?:ay)?|cool|nice|bye|goodbye|see you)\b[\w\s]{0,20}[!.]*$/i;
const ABOUT_ITSELF =
  /^(?:help|who are you|what are you|what can you do|(?:which|what) (?:language )?model (?:are you|do you use)|are you (?:an? )?(?:ai|llm|language model|human|bot|robot|claude))\b[^?]*\?*$/i;
const ASKED_BEFORE =
  /\bwhat (?:did|have|had|was|were)\b.*\b(?:i|my)\b.*\b(?:ask|asked|say|said|question|questions|message|write|wrote)\b|\brepeat my (?:last |previous |first )?question\b/i;
const ANSWERED_BEFORE =
  /\bwhat (?:did|have|was|were)\b.*\b(?:you|your)\b.*\b(?:answer|answered|say|said|reply|told)\b/i;
const NOTED = /\bremember (?:that|this|it)\b|^(?:my|i am|i'm|i like|i work|call me)\b[^?]*$/i;
const ABOUT_THE_PERSON = /\b(?:i|my|me)\b/i;
const REFERS_BACK =
  /^(?:and|but|so|also|then|what about|how about)\b|\b(?:it|its|they|them|their|that|those|these|this|he|she|him|her|the (?:former|latter|same))\b/i;

/** A word with a capital or a digit, except the first. */
const NAMES = /\s\S*[\p{Lu}\p{N}]/u;

/** Key words that a follow-up question has at most. */
const MOST_OWN_WORDS = 6;

/** The answer when no research is needed; null otherwise. */
export function smallTalk({ current, earlier }: Transcript): string | null {
  const said = current.question;
  if (said.length > 300) return null;
  if (GREETING.test(said))
    return "Hello. Ask me a question and I will look for sources and quote what they say about it.";
  if (THANKS.test(said)) return "You are welcome.";
  if (ABOUT_ITSELF.test(said)) {
    return "I work by rules: I look for sources, with other agents where there are some, quote the sentences that fit the question best and name where they stand. I cannot reason or write freely.";
  }
  if (ASKED_BEFORE.test(said)) return recallQuestions(said, earlier);
  if (ANSWERED_BEFORE.test(said)) {
    const last = earlier.at(-1)?.answer ?? "";
    return last === "" ? "I have not answered anything in this conversation yet." : `My last answer was:\n\n${last}`;
  }
  if (NOTED.test(said)) return "Noted. It stays part of this conversation.";
  return ABOUT_THE_PERSON.test(said) ? recallStatement(said, earlier) : null;
}

/**
 * Adds what the question refers back to, e.g. "and who maintains it? (follow-up to: What is workerd?)". Returns a
 * question that stands alone unchanged. Of follow-ups in between, keeps the latest that names something ("And
 * Miniflare?").
 */
export function contextualQuestion(question: string, earlier: readonly Exchange[]): string {
  if (earlier.length === 0 || !refersBack(question)) return question;
  const topics: string[] = [];
  for (const turn of earlier.toReversed()) {
    if (smallTalk({ current: turn, earlier: [], askedBy: null }) !== null || turn.question.length > 600) continue;
    const standsAlone = !refersBack(turn.question);
    if (standsAlone || (topics.length === 0 && NAMES.test(turn.question))) topics.unshift(turn.question);
    if (standsAlone) break;
  }
  return topics.length === 0 ? question : `${question} (follow-up to: ${topics.join(" / ")})`;
}

function refersBack(question: string): boolean {
  return (
    keyWords(question).length <= MOST_OWN_WORDS && (REFERS_BACK.test(question) || questionTerms(question).length === 0)
  );
}

function recallQuestions(said: string, earlier: readonly Exchange[]): string {
  const asked = earlier.map(({ question }) => `“${shorten(question)}”`);
  const last = asked.at(-1);
  if (last === undefined) return "This is the first message of this conversation, so there is nothing before it.";
  if (/\bfirst\b/i.test(said)) return `You asked first: ${asked[0]}`;
  const before = asked.slice(0, -1).slice(-5);
  return before.length === 0 ? `You asked: ${last}` : `You asked: ${last}\n\nBefore that: ${before.join(", ")}`;
}

/** The person's statement that shares most words with the question; null for none. */
function recallStatement(said: string, earlier: readonly Exchange[]): string | null {
  const terms = questionTerms(said);
  const matches = earlier
    .filter(({ question }) => !question.trim().endsWith("?"))
    .map(({ question }) => ({ question, shared: countShared(terms, question) }))
    .filter(({ shared }) => shared > 0)
    .toSorted((a, b) => b.shared - a.shared);
  return matches[0] === undefined ? null : `You said: “${shorten(matches[0].question)}”`;
}

function countShared(terms: readonly string[], text: string): number {
  const words = new Set(tokenize(text));
  return terms.filter((term) => words.has(term)).length;
}

function shorten(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 297)}…`;
}
