// Text made to keep a reader busy, and the passes that read text from anywhere. Each has to take time in proportion to the text.
import { searchTerms } from "#shared/durable/full-text.ts";
import { bestSentences } from "#shared/retrieval/cite.ts";
import { decodeText } from "#shared/text/decode.ts";
import { isTooDeep } from "#shared/text/parse-json.ts";
import { formatPassages, parsePassages, parseSources } from "#shared/retrieval/passages.ts";
import { readQuestion } from "#shared/retrieval/question.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";
import { headingsOf, splitSentences } from "#shared/retrieval/sentences.ts";
import { indexTokens, keyWords, tokenize } from "#shared/retrieval/tokens.ts";
import { readArticle, readWhole } from "#shared/tools/readable.ts";
import { redactor } from "#shared/tracing/redact.ts";
import { findEvidence } from "../../workers/agents/fact-checker/compare.ts";
import { readDocument } from "../../workers/agents/searcher/document.ts";
import { extractKeyPoints } from "../../workers/agents/summarizer/key-points.ts";
import { fillArguments, missingArguments } from "../../workers/offline-model/calls/arguments.ts";
import { decide } from "../../workers/offline-model/decide.ts";
import { MessagesRequest } from "../../workers/offline-model/api/request.ts";
import { summarise } from "../../workers/offline-model/answers/summarise.ts";
import { citedTexts } from "../../workers/offline-model/reading/task.ts";
import { readVerdicts } from "../../workers/offline-model/reading/verdicts.ts";

/** What a hostile text repeats, with what stands before and behind it. */
const UNITS: readonly (string | readonly [unit: string, before: string, behind: string])[] = [
  "a",
  "a ",
  "Ordinary words, and more of them. ",
  ["    ", "a", "b"],
  ["\n", "a", "b"],
  ["\n \t", "---\n", "b"],
  "[",
  "[1]",
  "[1] ",
  "a [1",
  "[1][2] a. ",
  ["[12] x\n", "Sources:\n", ""],
  "[1] t\nsource: s\n\nbody\n",
  "](",
  "[a](b",
  "[a](b)",
  "![a](",
  "`",
  "a. `b",
  "**a",
  "__ ** ` ",
  "“",
  '"',
  "(follow-up to: ",
  "(thread 1",
  ["# ", "# ", "x"],
  ["#", "# ", "x"],
  "# a\n",
  ["-", "---\ntitle: ", "x"],
  ["  ", '---\ntitle: "a', "x"],
  "--- x\n",
  "| a | b |\n",
  ". ",
  "e.g. ",
  "...",
  "!?",
  ["!", "https://a", "x"],
  "https://",
  ["$", "x1", "y"],
  "€ ",
  "1,111",
  "1.1.",
  "A.",
  "A. to ",
  "to To the ",
  "Ab ",
  "invoice ",
  "find list ",
  "not ",
  "<",
  "&",
  "password=",
  "://a:",
  "eyJaaaaaaaa.",
  "-----BEGIN PRIVATE KEY-----",
  '{"a":',
  "<a<",
  "</a<",
  "</",
  "<a '",
  "<a b=",
  "<!",
  "<style></style",
  "&amp;",
  "&#x41",
  "<div>",
  "<b><i>",
  "<a href=x>a",
  "</p>",
  "<p>a",
  "<table><tr><td>",
  "<!--",
  "<!-- a -->",
  "<title>",
  "<svg><title>",
  "<script></script>",
  '<meta name="a:b" content="x">',
  [" ", "<pre>", "x</pre>"],
  ["a1 ", '<div class="', '">x</div>'],
  ["a=1 ", "<div ", ">x"],
  "<p id=a>text, with, commas, here</p>",
  "á̖",
  "中文",
  "ก",
  "ァ",
  "한국",
  "й",
  "😀",
  "\ud800",
];

/** Every text of about `chars` characters. */
export function hostileTexts(chars: number): { readonly name: string; readonly text: string }[] {
  return UNITS.map((one) => {
    const [unit, before, behind] = typeof one === "string" ? [one, "", ""] : one;
    const repeated = unit.repeat(Math.ceil(chars / unit.length)).slice(0, chars);
    return { name: JSON.stringify(`${before}${unit}…${behind}`), text: before + repeated + behind };
  });
}

const QUESTION = "How do many words, or the invoice 4711 of A to B, follow each other?";
const text = { type: "string" };
const object = (properties: Record<string, unknown>) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});
const TOOLS = {
  check: { name: "verify_claim", input_schema: object({ claim: text, evidence: text }) },
  digest: { name: "extract_key_points", description: "Extracts key points.", input_schema: object({ text }) },
  delegate: { name: "query_agent", input_schema: object({ agent: text, message: text }) },
  search: { name: "web_search", description: "Searches.", input_schema: object({ query: text }) },
} as const;
const PAYMENT = object({ payee: text, amount: { type: "number" }, to: text, invoice: text, note: text });

function ask(tool: keyof typeof TOOLS, messages: readonly unknown[]): unknown {
  return decide(MessagesRequest.parse({ model: "offline", max_tokens: 1024, messages, tools: [TOOLS[tool]] }));
}

function answered(tool: keyof typeof TOOLS, result: string): unknown {
  const call = { type: "tool_use", id: "1", name: TOOLS[tool].name, input: { agent: "a", claim: "A is not 1." } };
  return ask(tool, [
    { role: "user", content: QUESTION },
    { role: "assistant", content: [call] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: result }] },
  ]);
}

/** Many passages of one source, cut out of a text. */
function passagesOf(hostile: string) {
  const size = 200;
  return Array.from({ length: Math.ceil(hostile.length / size) }, (_, index) => ({
    title: "Words",
    source: "words.md",
    text: hostile.slice(index * size, (index + 1) * size),
  }));
}

const document = (type: "md" | "txt" | "html" | "data") => (hostile: string) =>
  readDocument({ path: "a", type, text: hostile });

/** Passes that read what comes from outside as a whole. A pass that yields lets others have the loop meanwhile. */
const WHOLE: Readonly<Record<string, (hostile: string) => unknown>> = {
  "key points": (hostile) => extractKeyPoints(hostile, 5, hostile),
  "key points without a focus": (hostile) => extractKeyPoints(hostile, 20),
  "a claim and its evidence": (hostile) => findEvidence(hostile, hostile),
  verdicts: (hostile) => readVerdicts([{ name: "v", input: { claim: "c" }, result: hostile, isError: false }]),
  "arguments of a tool": (hostile) => fillArguments(PAYMENT, { question: hostile }),
  "missing arguments of a tool": (hostile) => missingArguments(PAYMENT, { question: hostile }),
  "a message to a checker": (hostile) => ask("check", [{ role: "user", content: hostile }]),
  "a message to a summarizer": (hostile) => ask("digest", [{ role: "user", content: hostile }]),
  "a conversation to sum up": (hostile) => summarise({ messages: [{ role: "user", content: hostile }] }),
  "an answer of an agent": (hostile) => answered("delegate", hostile),
  "a result of a search": (hostile) => answered("search", hostile),
  "a result of a check": (hostile) => answered("check", hostile),
  "the article of a page": (hostile) => readArticle(hostile),
  "a whole page": (hostile) => readWhole(hostile),
  "a Markdown document": document("md"),
  "a plain document": document("txt"),
  "an HTML document": document("html"),
  "the bytes of a file": (hostile) => decodeText(Buffer.from(hostile)),
  "the bytes of an older file": (hostile) => decodeText(Buffer.from(hostile, "latin1")),
  "a JSON text": (hostile) => isTooDeep(hostile),
  "a text in JSON": (hostile) => isTooDeep(JSON.stringify(hostile)),
  "an attribute of a span": redactor(["a secret of the job"]),
};

/** Passes that their callers give slices of such a text. */
const SLICED: Readonly<Record<string, (hostile: string) => unknown>> = {
  tokens: (hostile) => [tokenize(hostile), indexTokens(hostile), keyWords(hostile), searchTerms(hostile)],
  sentences: (hostile) => [splitSentences(hostile), headingsOf(hostile)],
  "passages and sources": (hostile) => [parsePassages(hostile), parseSources(hostile), citedTexts(hostile)],
  "written passages": (hostile) => formatPassages([{ title: hostile, source: hostile, text: hostile }]),
  "a question": (hostile) => readQuestion(hostile, [hostile], [hostile]),
  "ranking of passages": (hostile) => relevantPassages(QUESTION, passagesOf(hostile)),
  "quoting of a text": (hostile) => bestSentences(QUESTION, [{ title: hostile, source: "a", text: hostile }]),
  "quoting for a question": (hostile) => bestSentences(hostile, [{ title: "A", source: "a", text: "Words follow." }]),
};

export interface Pass {
  /** Does one stretch after the other, and yields between them. */
  readonly stretches: (hostile: string) => Generator<unknown, void>;
  readonly isWhole: boolean;
}

export const PASSES: Readonly<Record<string, Pass>> = {
  ...toPasses(SLICED, false),
  ...toPasses(WHOLE, true),
};

function toPasses(all: Readonly<Record<string, (hostile: string) => unknown>>, isWhole: boolean) {
  return Object.fromEntries(
    Object.entries(all).map(([name, read]) => [
      name,
      {
        isWhole,
        *stretches(hostile: string) {
          const work = read(hostile);
          if (isGenerator(work)) yield* work;
        },
      },
    ]),
  );
}

function isGenerator(work: unknown): work is Generator<unknown, unknown> {
  return typeof work === "object" && work !== null && Symbol.iterator in work && "next" in work;
}
