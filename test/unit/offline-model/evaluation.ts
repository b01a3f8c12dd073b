// Asks the whole team a list of questions and counts what is right. Figures are shares from 0 to 1.
import { parseSources } from "#shared/retrieval/passages.ts";
import { splitSentences } from "#shared/retrieval/sentences.ts";
import { citedTexts } from "../../../workers/offline-model/task.ts";
import type { InputMessage } from "../../../workers/offline-model/request.ts";
import type { Question } from "./questions.ts";
import { corpus, peerTools, runAgent } from "./team.ts";

export interface Judged {
  readonly question: Question;
  readonly reply: string;
  readonly sentences: readonly { readonly text: string; readonly source: string }[];
  /** What is wrong, in words; empty when all is well. */
  readonly faults: readonly string[];
}

export interface Figures {
  readonly firstSource: number;
  readonly phrase: number;
  /** The phrase stands in the first two sentences; not asked of comparisons, which first say what each side is. */
  readonly early: number;
  readonly bothSides: number;
  readonly silentWhenUnknown: number;
  /** Sentences from articles that have nothing to say about the question. */
  readonly offTopic: number;
  /** Sentences that begin by referring to one that is not there. */
  readonly dangling: number;
  readonly sentencesPerAnswer: number;
}

const REFERRING = /^(?:it|its|they|their|this|these|those|he|she|such|then|therefore)\b/i;

export async function judge(question: Question): Promise<Judged> {
  const messages: InputMessage[] = [];
  let reply = "";
  for (const content of question.asked) {
    messages.push({ role: "user", content });
    reply = await runAgent("coordinator", "You coordinate.", peerTools([]), messages, []);
  }
  const sources = parseSources(reply);
  const sentences = citedTexts(reply).map(({ text, numbers }) => ({
    text,
    source: sources.get(numbers[0] ?? 0) ?? "",
  }));
  return { question, reply, sentences, faults: faultsOf(question, reply, sentences) };
}

export function figuresOf(all: readonly Judged[]): Figures {
  const answerable = all.filter(({ question }) => question.files.length > 0);
  const without = (fault: string, of: readonly Judged[]) => share(of, ({ faults }) => !faults.includes(fault));
  const sentences = answerable.flatMap(({ question, sentences: said }) =>
    said.map((sentence, index) => ({ question, sentence, before: said[index - 1] })),
  );
  return {
    firstSource: without("first source", answerable),
    phrase: without("phrase", answerable),
    early: without("early", answerable),
    bothSides: without(
      "both sides",
      answerable.filter(({ question }) => question.both !== undefined),
    ),
    silentWhenUnknown: without(
      "cites",
      all.filter(({ question }) => question.files.length === 0),
    ),
    offTopic: share(
      sentences,
      ({ question, sentence }) => ![...question.files, ...(question.also ?? [])].includes(sentence.source),
    ),
    dangling: share(sentences, ({ sentence, before }) => dangles(sentence, before)),
    sentencesPerAnswer: sentences.length / answerable.length,
  };
}

function faultsOf({ files, phrase, both }: Question, reply: string, sentences: Judged["sentences"]): string[] {
  if (files.length === 0) return sentences.length > 0 || /\[\d+\]/.test(reply) ? ["cites"] : [];
  const cited = new Set(sentences.map(({ source }) => source));
  return [
    ...(files.includes(sentences[0]?.source ?? "") ? [] : ["first source"]),
    ...(phrase === undefined || sentences.some(({ text }) => text.includes(phrase)) ? [] : ["phrase"]),
    ...(phrase === undefined || both !== undefined || sentences.slice(0, 2).some(({ text }) => text.includes(phrase))
      ? []
      : ["early"]),
    ...(both === undefined || both.every((files) => files.split("|").some((file) => cited.has(file)))
      ? []
      : ["both sides"]),
  ];
}

/** Whether the sentence refers back and the one before it in its article does not stand before it in the answer. */
function dangles(sentence: Judged["sentences"][number], before: Judged["sentences"][number] | undefined): boolean {
  if (!REFERRING.test(sentence.text)) return false;
  const article = splitSentences(corpus.find(({ source }) => source === sentence.source)?.text ?? "");
  const place = article.indexOf(sentence.text);
  return place > 0 && article[place - 1] !== before?.text;
}

function share<Of>(all: readonly Of[], fits: (one: Of) => boolean): number {
  return all.length === 0 ? 1 : all.filter(fits).length / all.length;
}
