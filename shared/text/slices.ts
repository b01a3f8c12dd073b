// Work on long texts in slices, between which others get the loop: agents of one process share it, and their heartbeats are due.

/** Characters of a slice: no pass takes more than about 100 ms for them. */
export const SLICE_CHARS = 32_000;

/** Runs `work` to its end. Others have their turn at each of its yields. */
export async function withPauses<Result>(work: Generator<undefined, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }
}

/** Pieces of at most SLICE_CHARS that make up `text`: cut after a blank line, or else a sentence, a line, a space or anywhere. */
export function slicesOf(text: string): string[] {
  const slices: string[] = [];
  let from = 0;
  while (text.length - from > SLICE_CHARS) {
    const end = from + cutOf(text.slice(from, from + SLICE_CHARS));
    slices.push(text.slice(from, end));
    from = end;
  }
  return [...slices, text.slice(from)];
}

/** Where to end a slice: in its second half, if there is such a place. */
function cutOf(window: string): number {
  for (const mark of ["\n\n", ".\n", ". ", "。", "\n", " "]) {
    const at = window.lastIndexOf(mark);
    if (at >= SLICE_CHARS / 2) return at + mark.length;
  }
  return /[\ud800-\udbff]$/.test(window) ? window.length - 1 : window.length;
}
