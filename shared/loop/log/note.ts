// Words of the loop itself to a model, marked as such: hooks' words, summaries, why an answer does not fit.

const OPEN = "<note>\n";
const CLOSE = "\n</note>";

export function asNote(text: string): string {
  return `${OPEN}${text}${CLOSE}`;
}

/** The words of a note; undefined for text that is none. */
export function noteIn(text: string): string | undefined {
  return text.startsWith(OPEN) && text.endsWith(CLOSE) ? text.slice(OPEN.length, -CLOSE.length) : undefined;
}
