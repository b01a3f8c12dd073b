// Tail sampling: forwards all traces with errors, slow and costly ones, and a share of the rest, chosen by trace id.
// Pure.
import type { Settings } from "./settings.ts";

export interface Sampled {
  readonly traceId: string;
  readonly errors: number;
  /** -1 while open. */
  readonly durationUs: number;
  readonly costUsd: number;
}

export function isForwarded(trace: Sampled, { share, slowMs, costlyUsd }: Settings): boolean {
  if (trace.errors > 0 || trace.costUsd >= costlyUsd || trace.durationUs > slowMs * 1000) return true;
  return randomness(trace.traceId) >= 1 - share;
}

/**
 * From 0 to less than 1, by the id's last 56 bits
 * (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/). A double holds the first 52 of
 * them.
 */
function randomness(traceId: string): number {
  return Number.parseInt(traceId.slice(-14, -1), 16) / 2 ** 52;
}
