// Trimming of other characters than spaces. A pattern that is anchored at the end begins anew at each character of each run.

/** `text` without those of the characters that it ends in. */
export function trimEndOf(text: string, characters: RegExp): string {
  let end = text.length;
  while (end > 0 && characters.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
