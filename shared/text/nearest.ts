// Finds the name that was probably meant, by edit distance with transpositions: "did you mean …?".

/**
 * The candidate closest to `name`; undefined when none is near (two letters may differ, or two fifths of the longer
 * name). Ignores case, and treats `-` and `_` as equal. Of equally close candidates the first wins.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(name);
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const other = fold(candidate);
    const distance = editDistance(wanted, other);
    const allowed = Math.max(2, Math.floor(Math.max(wanted.length, other.length) * 0.4));
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A sentence that offers the nearest name, or else lists up to twelve names. */
export function suggest(name: string, candidates: Iterable<string>): string {
  const all = [...candidates];
  const close = nearest(name, all);
  if (close !== undefined) return `Did you mean "${close}"?`;
  if (all.length === 0) return "";
  const shown = all.slice(0, 12).join(", ");
  return `There is: ${shown}${all.length > 12 ? ", …" : ""}.`;
}

/** Number of letters to insert, delete, replace or swap with a neighbour to turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  // Such a difference is no typing mistake, and the cost grows with the product of the lengths.
  if (Math.abs(a.length - b.length) > 64) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

function fold(name: string): string {
  return name.slice(0, 200).toLowerCase().replaceAll("_", "-");
}
