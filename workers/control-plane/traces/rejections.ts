// Spans that were refused: how many, and of the first few why. The answer to an export tells both.
import { shown } from "./fields.ts";

const TOLD = 5;

export class Rejections {
  #count = 0;
  readonly #reasons: string[] = [];

  get count(): number {
    return this.#count;
  }

  get reasons(): readonly string[] {
    return this.#reasons;
  }

  add(spanId: unknown, reason: string): void {
    this.addAll(1, [`span ${shown(spanId)}: ${reason}`]);
  }

  /** `reasons` are of the first few only. */
  addAll(count: number, reasons: readonly string[]): void {
    this.#count += count;
    this.#reasons.push(...reasons.slice(0, TOLD - this.#reasons.length));
  }

  /** In a sentence or more, for the sender's log. */
  toString(): string {
    const spans = this.#count === 1 ? "1 span was" : `${this.#count} spans were`;
    const more = this.#count > this.#reasons.length ? `; and ${this.#count - this.#reasons.length} more` : "";
    return `${spans} refused, all others were stored: ${this.#reasons.join("; ")}${more}.`;
  }
}
