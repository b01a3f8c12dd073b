// Ranking and quoting passages by rules, the offline model's own work: how its time grows with what there is to read.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { bestSentences } from "#shared/retrieval/cite.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";
import { median } from "./quantile.ts";
import type { Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const CORPUS = join(import.meta.dirname, "../../jobs/corpus");
const QUESTION = "How does an object store rows in a database?";
const COPIES = [1, 2, 4, 8];
const RUNS = 15;

export async function text(_: Bench): Promise<void> {
  const files = await readdir(CORPUS);
  const articles = await Promise.all(
    files.map(async (source) => ({ title: source, source, text: await readFile(join(CORPUS, source), "utf8") })),
  );
  let before: { readonly bytes: number; readonly ms: number } | undefined;
  const rows = COPIES.map((copies) => {
    const passages = Array.from({ length: copies }, (_, copy) =>
      articles.map((article) => ({ ...article, source: `${copy}/${article.source}` })),
    ).flat();
    const bytes = passages.reduce((sum, passage) => sum + passage.text.length, 0);
    const ms = median(
      Array.from({ length: RUNS }, () => time(() => bestSentences(QUESTION, relevantPassages(QUESTION, passages)))),
    );
    const growth = before ? ms / before.ms / (bytes / before.bytes) : undefined;
    before = { bytes, ms };
    return [fixed(bytes / 1000, 0), fixed(ms), fixed(growth)];
  });
  console.log(table(["KB of passages", "ms", "growth (1 = linear)"], rows));
}

function time(work: () => unknown): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}
