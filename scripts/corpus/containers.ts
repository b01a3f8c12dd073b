// The text of PDF and docx files. The files are not trusted, so a thread of its own reads them, and ends when it takes
// too long or too much memory; the next file gets a new thread.
import { Worker } from "node:worker_threads";

import * as z from "zod";

import type { Kind } from "./kinds.ts";

const LIMIT_MS = 60_000;
const MEMORY_MB = 512;

const Answer = z.union([z.object({ text: z.string() }), z.object({ reason: z.string() })]);
export type Extracted = z.infer<typeof Answer>;

export class Containers implements AsyncDisposable {
  #worker: Worker | undefined;
  /** Files are read one after the other: the limits apply to one file. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #limitMs: number;

  constructor(limitMs = LIMIT_MS) {
    this.#limitMs = limitMs;
  }

  /** Never throws for the content of a file: `reason` tells why there is no text. */
  async textOf(bytes: Uint8Array, container: NonNullable<Kind["container"]>): Promise<Extracted> {
    const extracted = this.#last.then(async () => this.#extract(bytes, container));
    this.#last = extracted;
    return extracted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  async #extract(bytes: Uint8Array, container: string): Promise<Extracted> {
    const worker = (this.#worker ??= new Worker(new URL("extract-worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      // The libraries print about the file, which its reason tells already.
      stdout: true,
      stderr: true,
    }));
    const { promise, resolve } = Promise.withResolvers<Extracted>();
    const timer = setTimeout(
      () => resolve({ reason: `takes longer than ${this.#limitMs / 1000} s to read` }),
      this.#limitMs,
    );
    const onMessage = (answer: unknown) => resolve(Answer.parse(answer));
    const onError = () => resolve({ reason: `takes more than ${MEMORY_MB} MB of memory to read, or is damaged` });
    worker.on("message", onMessage).on("error", onError);
    worker.postMessage({ bytes, container });
    const answer = await promise;
    clearTimeout(timer);
    worker.off("message", onMessage).off("error", onError);
    if ("reason" in answer) {
      await worker.terminate();
      this.#worker = undefined;
    }
    return answer;
  }
}
