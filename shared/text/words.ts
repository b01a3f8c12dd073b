// Words as they are compared: composed or decomposed, with or without accents, upper or lower case, they are the same.
// Nothing here looks at a text twice: it may come from anywhere and be of any length.

/** A word with its marks, and numbers with their decimals. In languages without spaces it is a whole run of text. */
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:[.,]\p{N}+)*/gu;
const ASCII = /^[\0-\x7f]*$/;
/** Accents, Hebrew points and Arabic vowels. Marks of other scripts are letters by right. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]/g;
/** Letters that Unicode does not take apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ı: "i",
  ς: "σ",
  ى: "ي",
  ة: "ه",
};
const UNCOMMON = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "g");
/** Normalization sorts marks, in time that grows with the square of their number: it is given pieces of this size. */
const PIECE_CHARS = 256;

/** The words of `text` as they are written. */
export function wordsOf(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** The same, each with where it begins. */
export function* placesOf(text: string): Generator<{ readonly word: string; readonly start: number }> {
  for (const found of text.matchAll(WORD)) yield { word: found[0], start: found.index };
}

/** The form in which words are compared. */
export function fold(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  let folded = "";
  for (let start = 0; start < word.length; start += PIECE_CHARS) {
    folded += foldPiece(word.slice(start, start + PIECE_CHARS));
  }
  return folded;
}

function foldPiece(piece: string): string {
  return piece
    .toLowerCase()
    .normalize("NFKD")
    .replace(ACCENTS, "")
    .normalize("NFKC")
    .replace(UNCOMMON, (letter) => LETTERS[letter] ?? letter);
}
