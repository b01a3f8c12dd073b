// What a section aims at, beside what it measured.
import { median } from "./quantile.ts";
import { fixed, table } from "./table.ts";

export interface Aim {
  readonly what: string;
  /** Either this or `most`. */
  readonly least?: number;
  readonly most?: number;
  /** Better than the aim, which does not need it. */
  readonly wished?: number;
  /** One of each round, or the only one. */
  readonly values: readonly number[];
  readonly digits?: number;
}

/** A table. The median decides whether an aim is reached. */
export function aims(list: readonly Aim[]): string {
  const rows = list.map(({ what, least = -Infinity, most = Infinity, wished, values, digits = 2 }) => {
    const middle = median(values);
    const limit = Number.isFinite(least) ? `≥ ${least}` : `≤ ${most}`;
    const range =
      values.length > 1 ? `${fixed(Math.min(...values), digits)}–${fixed(Math.max(...values), digits)}` : "";
    const verdict = Number.isNaN(middle) ? "not measured" : middle >= least && middle <= most ? "" : "NOT REACHED";
    return [what, wished === undefined ? limit : `${limit} (${wished} wished)`, fixed(middle, digits), range, verdict];
  });
  return table(["", "aim", "measured", "least–most", ""], rows);
}
