// A span as a bar on the trace's time axis: solid for its own time on the critical path, shaded elsewhere.
import type { Segment } from "../critical-path.ts";

export interface Axis {
  readonly fromUs: number;
  readonly toUs: number;
  /** Columns. */
  readonly width: number;
}

const SOLID = "█";
const SHADED = "▒";

/**
 * A bar of `width` columns. A span fills at least one column. Own time shows from half a column on, or where the bar has one column
 * only.
 */
export function bar(fromUs: number, toUs: number, own: readonly Segment[], axis: Axis): string {
  const at = (us: number): number => ((us - axis.fromUs) / Math.max(1, axis.toUs - axis.fromUs)) * axis.width;
  const first = Math.max(0, Math.min(axis.width - 1, Math.floor(at(fromUs))));
  const end = Math.min(axis.width, Math.max(first + 1, Math.round(at(toUs))));
  const cells: string[] = Array.from({ length: axis.width }, () => " ").fill(SHADED, first, end);
  for (const segment of own) {
    const begin = segment.fromUs <= fromUs ? first : Math.max(first, Math.round(at(segment.fromUs)));
    cells.fill(SOLID, begin, Math.min(end, Math.round(at(segment.toUs))));
  }
  if (own.length > 0 && end - first === 1) cells[first] = SOLID;
  return cells.join("");
}

/** The axis: 0 at its beginning, its length at its end. */
export function scale(width: number, length: string): string {
  return width < length.length + 3 ? length.padStart(width).slice(0, width) : `0${length.padStart(width - 1)}`;
}
