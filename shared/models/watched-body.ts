// The body of an answer. Each read counts as life: pings end silence.
import type { IdleWatch } from "../resilience/idle-watch.ts";
import { ModelError } from "./model.ts";

/**
 * Bytes of a line, or of an answer in one piece, which are kept until they are whole. The largest event of an answer that
 * can be stored has fewer.
 */
export const MAX_PIECE = 8 * 1024 * 1024;

/** Bytes that may follow a whole answer before its end. */
const MAX_REST = 64 * 1024;

export function tooMuch(): ModelError {
  return new ModelError("too_long", "The model sent a line without an end, or too much at once; it was given up.");
}

export class WatchedBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #watch: IdleWatch;

  constructor({ body }: Response, watch: IdleWatch) {
    this.#reader = body?.getReader();
    this.#watch = watch;
  }

  /** The next bytes; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    this.#watch.heard();
    return (await this.#reader?.read())?.value;
  }

  /** The text, or its first `most` bytes. */
  async text(most: number): Promise<{ readonly text: string; readonly isCut: boolean }> {
    const decoder = new TextDecoder();
    let text = "";
    let left = most;
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) {
      text += decoder.decode(chunk.subarray(0, left), { stream: true });
      if (chunk.length > left) return { text, isCut: true };
      left -= chunk.length;
    }
    return { text: text + decoder.decode(), isCut: false };
  }

  /**
   * Reads what follows a whole answer: only after its end does the connection serve the next call. What follows is no life
   * of the call, so the watch ends it in time.
   */
  async readEnd(): Promise<void> {
    for (let left = MAX_REST; left > 0;) {
      const rest = await this.#reader?.read();
      if (rest?.value === undefined) return;
      left -= rest.value.length;
    }
    this.cancel();
  }

  /** Closes the connection if bytes are left. */
  cancel(): void {
    this.#reader?.cancel().catch(() => {});
  }
}
