// What an export lost: refused spans, and parts left out of stored spans. Counts both and keeps the first reasons, for
// the answer and the log.
import { excerpt } from "./fields.ts";

const MAX_REASONS = 5;

export class Rejections {
  #count = 0;
  readonly #reasons: string[] = [];
  #lossCount = 0;
  readonly #losses: string[] = [];

  /** Spans that were refused. */
  get count(): number {
    return this.#count;
  }

  get reasons(): readonly string[] {
    return this.#reasons;
  }

  /** Whether everything was stored unchanged. */
  get isEmpty(): boolean {
    return this.#count === 0 && this.#lossCount === 0;
  }

  add(spanId: unknown, reason: string): void {
    this.addAll(1, [`span ${excerpt(spanId)}: ${reason}`]);
  }

  /** `reasons` may be fewer than `count`. */
  addAll(count: number, reasons: readonly string[]): void {
    this.#count += count;
    this.#reasons.push(...reasons.slice(0, MAX_REASONS - this.#reasons.length));
  }

  /** Counts a part that was left out of a span, a resource or a scope. */
  addLoss(of: string, reason: string): void {
    this.#lossCount++;
    if (this.#losses.length < MAX_REASONS) this.#losses.push(`${of}: ${reason}`);
  }

  /** One or two sentences for the sender's log. */
  toString(): string {
    const spans = this.#count === 1 ? "1 span was" : `${this.#count} spans were`;
    const refused = `${spans} refused, all others were stored: ${listReasons(this.#reasons, this.#count)}`;
    const parts = this.#lossCount === 1 ? "1 part was" : `${this.#lossCount} parts were`;
    const lost = `${parts} left out of spans that were stored: ${listReasons(this.#losses, this.#lossCount)}`;
    return [...(this.#count > 0 ? [refused] : []), ...(this.#lossCount > 0 ? [lost] : [])].join(" ");
  }
}

function listReasons(reasons: readonly string[], count: number): string {
  return `${reasons.join("; ")}${count > reasons.length ? `; and ${count - reasons.length} more` : ""}.`;
}
