// Sends an isolate's spans to the trace store, as OTLP/JSON: when a span starts and again when it ends, or once if both
// fall into one batch.
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { IsolateBatch } from "./isolate-batch.ts";
import type { RecordedSpan } from "./recorder.ts";

const DELAY_MS = 250;
/** Approximate characters of attributes in one request: the store takes 8 MiB, a row 2 MB. */
const MAX_CHARACTERS = 600_000;

export class Outbox {
  readonly #batch: IsolateBatch<RecordedSpan>;

  /**
   * `deliver` sends one OTLP/JSON request and keeps it when that fails. When `deliver` rejects, the spans are sent
   * again.
   */
  constructor(deliver: (request: Uint8Array<ArrayBuffer>) => Promise<void>) {
    this.#batch = new IsolateBatch(DELAY_MS, async (spans) => {
      for (const some of bySize(spans)) {
        const request = JsonTraceSerializer.serializeRequest(some);
        if (request) await deliver(new Uint8Array(request));
      }
    });
  }

  async flush(): Promise<void> {
    await this.#batch.flush();
  }

  add(span: RecordedSpan, waitUntil: (work: Promise<unknown>) => void): void {
    this.#batch.add(span.spanContext().spanId, span, waitUntil);
  }
}

function* bySize(spans: readonly RecordedSpan[]): Generator<RecordedSpan[]> {
  let some: RecordedSpan[] = [];
  let size = 0;
  for (const span of spans) {
    const own = sizeOf(span);
    if (some.length > 0 && size + own > MAX_CHARACTERS) {
      yield some;
      [some, size] = [[], 0];
    }
    some.push(span);
    size += own;
  }
  if (some.length > 0) yield some;
}

function sizeOf({ attributes }: RecordedSpan): number {
  let size = 500;
  for (const value of Object.values(attributes)) if (typeof value === "string") size += value.length;
  return size;
}
