// Plain tables for a terminal.
import type { Measured } from "./closed-loop.ts";

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

export function fixed(value: number | undefined, digits = 2): string {
  return value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);
}

/** In flight, p50, p95, p99, requests a second and errors. */
export function figures(
  inFlight: number,
  { p50, p95, p99, perSecond, errors }: Pick<Measured, "p50" | "p95" | "p99" | "perSecond" | "errors">,
): string[] {
  return [String(inFlight), fixed(p50), fixed(p95), fixed(p99), fixed(perSecond, 0), String(errors)];
}
