// Messages that were typed before, the newest last, over all runs: a file of JSON strings, one a line. Where it cannot be read or
// written, the history lasts for this run.
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { parseJson } from "#shared/text/parse-json.ts";

const MOST_ENTRIES = 1_000;
/** Characters of an entry that is kept. */
const MOST_LENGTH = 10_000;

export class History {
  readonly #path: string | undefined;
  readonly #entries: string[];

  /** Without a path it is not kept. */
  constructor(path?: string) {
    this.#path = path;
    const all = path === undefined ? [] : read(path);
    this.#entries = all.slice(-MOST_ENTRIES);
    // Several conversations may write at once, so that the file is only shortened when it has become twice as long.
    if (path !== undefined && all.length > 2 * MOST_ENTRIES) {
      const lines = this.#entries.map((entry) => `${JSON.stringify(entry)}\n`);
      quietly(() => writeFileSync(path, lines.join(""), { mode: 0o600 }));
    }
  }

  /** Oldest first. */
  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Keeps a message, unless it is empty, too long, or the same as the last. */
  add(text: string): void {
    if (text.trim() === "" || text.length > MOST_LENGTH || text === this.#entries.at(-1)) return;
    this.#entries.push(text);
    if (this.#entries.length > MOST_ENTRIES) this.#entries.shift();
    const path = this.#path;
    if (path === undefined) return;
    quietly(() => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      appendFileSync(path, `${JSON.stringify(text)}\n`, { mode: 0o600 });
      chmodSync(path, 0o600);
    });
  }
}

function read(path: string): string[] {
  const text = quietly(() => readFileSync(path, "utf8")) ?? "";
  return text
    .split("\n")
    .map((line) => parseJson(line))
    .filter((entry) => typeof entry === "string");
}

/** A conversation goes on without its history. */
function quietly<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
