// A trace that may still run, built from one answer of the store after the other.
import type { Span, TraceSummary } from "../span.ts";
import { type Changes, deletedMeanwhile } from "./store.ts";

/** An ended trace is complete after this many answers without news: agents send in batches. */
const QUIET_LOOKS = 2;
/** The same while spans are open below the ended root: they may be lost with their agent. */
const PATIENT_LOOKS = 10;

export class LiveTrace {
  readonly #spans = new Map<string, Span>();
  #summary: TraceSummary | undefined;
  #seq = 0;
  #quietLooks = 0;

  /** The next answer begins after this change. */
  get seq(): number {
    return this.#seq;
  }

  /** Undefined until the store knows of the trace. */
  get summary(): TraceSummary | undefined {
    return this.#summary;
  }

  get spans(): Span[] {
    return [...this.#spans.values()];
  }

  /**
   * Takes one answer of the store; undefined when the store does not know the trace. Returns the spans that are news. Throws CliError
   * when the trace was deleted meanwhile.
   */
  apply(changes: Changes | undefined): readonly Span[] {
    if (changes === undefined) {
      if (this.#summary !== undefined) throw deletedMeanwhile(this.#summary.traceId);
      return [];
    }
    this.#summary = changes.summary;
    this.#seq = changes.seq;
    this.#quietLooks = changes.spans.length === 0 ? this.#quietLooks + 1 : 0;
    for (const span of changes.spans) this.#spans.set(span.spanId, span);
    return changes.spans;
  }

  /** The root has ended, and nothing more has come for a while. */
  get isComplete(): boolean {
    if (this.#summary === undefined || this.#summary.status === "open") return false;
    return this.#quietLooks >= (this.#summary.openSpans === 0 ? QUIET_LOOKS : PATIENT_LOOKS);
  }
}
