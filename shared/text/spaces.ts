// White space and other characters at the ends of a text and within it.

/** `text` without those of the characters that it ends in. Takes linear time, unlike a pattern anchored at the end. */
export function trimEndOf(text: string, characters: RegExp): string {
  let end = text.length;
  while (end > 0 && characters.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** `text` on one line: each run of white space becomes one space, none at the ends. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
