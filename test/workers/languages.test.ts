// Sixty questions in ten languages over one corpus of sixty documents: found by the searcher, quoted by the rules.
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { bestSentences } from "#shared/retrieval/cite.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";
import { LANGUAGES } from "../support/languages.ts";

const corpus = env.CORPUS.getByName("languages");
const found = new Map<string, { right: boolean; quoted: boolean }[]>();

beforeAll(async () => {
  const files = Object.entries(LANGUAGES).flatMap(([language, { documents }]) =>
    Object.entries(documents).map(([name, text]) => ({
      path: `${language}/${name}.txt`,
      hash: "1",
      type: "data" as const,
      text,
    })),
  );
  await corpus.put({ root: "docs", files });
  for (const [language, { questions }] of Object.entries(LANGUAGES)) {
    const results = [];
    for (const { question, document, answer } of questions) {
      const passages = await corpus.search(question, 8);
      const right = passages.slice(0, 3).some(({ source }) => source === `docs/${language}/${document}.txt`);
      const quotes = bestSentences(question, relevantPassages(question, passages));
      results.push({ right, quoted: quotes.some(({ text }) => text.normalize("NFC").includes(answer)) });
    }
    found.set(language, results);
  }
});

test("nine of ten questions find their document among the first three", () => {
  const all = [...found.values()].flat();
  expect(all).toHaveLength(60);
  expect(all.filter(({ right }) => right).length / all.length).toBeGreaterThanOrEqual(0.9);
});

test.each(Object.keys(LANGUAGES))("at most one question in %s misses its document", (language) => {
  expect(found.get(language)?.filter(({ right }) => !right).length).toBeLessThanOrEqual(1);
});

test("eight of ten questions are answered with the words that answer them", () => {
  const all = [...found.values()].flat();
  expect(all.filter(({ quoted }) => quoted).length / all.length).toBeGreaterThanOrEqual(0.8);
});
