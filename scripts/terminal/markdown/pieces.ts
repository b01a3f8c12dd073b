// Inline Markdown as pieces of styled text, and pieces as lines of a width.
import type { MarkedToken, Token } from "marked";

import type { Paint } from "../screen.ts";
import { cutTo, widthOf } from "../terminal-text.ts";

export type InlineStyle = "bold" | "italic" | "dim" | "cyan" | "strikethrough";
export type Paints = Readonly<Record<InlineStyle, Paint>>;

/** Text of one style; a line break is a piece of its own. */
export interface Piece {
  readonly text: string;
  readonly styles: readonly InlineStyle[];
}

export interface Look {
  readonly width: number;
  readonly paint: Paints;
  /** Styles are seen; otherwise marks of the source stay where they matter. */
  readonly colours: boolean;
  /** No line may be wider than `width`: long words are broken, and code is cut. Otherwise both stay whole, to be copied. */
  readonly strict: boolean;
}

const BREAK = "\n";

/** Pieces of inline tokens; `colours` as in Look. */
export function piecesOf(
  tokens: readonly Token[],
  colours: boolean,
  styles: readonly InlineStyle[] = [],
): readonly Piece[] {
  return tokens.flatMap((token) => inline(known(token), colours, styles));
}

function inline(token: MarkedToken, colours: boolean, styles: readonly InlineStyle[]): readonly Piece[] {
  const inside = (tokens: readonly Token[], style: InlineStyle) => piecesOf(tokens, colours, [...styles, style]);
  switch (token.type) {
    case "strong":
      return inside(token.tokens, "bold");
    case "em":
      return inside(token.tokens, "italic");
    case "del":
      return inside(token.tokens, "strikethrough");
    case "codespan":
      return [{ text: colours ? token.text : `\`${token.text}\``, styles: [...styles, "cyan"] }];
    case "br":
      return [{ text: BREAK, styles }];
    case "link":
    case "image": {
      const shown = piecesOf(token.tokens, colours, styles);
      const isPlain = token.href === textOf(shown) || token.href === `mailto:${textOf(shown)}`;
      return isPlain ? shown : [...shown, { text: ` (${token.href})`, styles: [...styles, "dim"] }];
    }
    case "checkbox":
      return [];
    case "text":
      return token.tokens === undefined
        ? lines(unescaped(token.text), styles)
        : piecesOf(token.tokens, colours, styles);
    case "escape":
      return [{ text: token.text, styles }];
    default:
      return lines(token.raw, styles);
  }
}

/** The library's type allows tokens of extensions, and there are none. */
export function known(token: Token): MarkedToken {
  // eslint-disable-next-line typescript/no-unsafe-type-assertion -- as the comment says
  return token as MarkedToken;
}

/** Line breaks of the source stay: agents write lists of sources in them. */
function lines(text: string, styles: readonly InlineStyle[]): readonly Piece[] {
  return text.split(/(\n)/).flatMap((part) => (part === "" ? [] : [{ text: part, styles }]));
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  nbsp: " ",
};

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}

export function textOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join("");
}

/** The pieces as painted lines, broken between words. */
export function wrapped(pieces: readonly Piece[], { width, paint, strict }: Look): string[] {
  const rows: string[] = [];
  let [row, used, gap] = ["", 0, ""];
  const next = () => {
    rows.push(row);
    [row, used, gap] = ["", 0, ""];
  };
  for (const word of wordsOf(pieces)) {
    const [first] = word;
    if (first?.text === BREAK) next();
    else if (first !== undefined && first.text.trim() === "") gap = used === 0 ? "" : " ";
    else {
      const wide = widthOf(textOf(word));
      if (used > 0 && used + gap.length + wide > width) next();
      const fitting = strict && wide > width ? broken(word, width) : [word];
      for (const [index, part] of fitting.entries()) {
        if (index > 0) next();
        row +=
          gap + part.map(({ text, styles }) => styles.reduce((shown, style) => paint[style](shown), text)).join("");
        used += gap.length + widthOf(textOf(part));
        gap = "";
      }
    }
  }
  if (row !== "" || rows.length === 0) rows.push(row);
  return rows;
}

/** Words of one or more pieces, the spaces between them, and line breaks. */
function wordsOf(pieces: readonly Piece[]): Piece[][] {
  const words: Piece[][] = [];
  let word: Piece[] = [];
  for (const { text, styles } of pieces) {
    for (const part of text.match(/\n|[^\S\n]+|\S+/g) ?? []) {
      if (part.trim() !== "") {
        word.push({ text: part, styles });
        continue;
      }
      if (word.length > 0) words.push(word);
      word = [];
      words.push([{ text: part, styles }]);
    }
  }
  return word.length > 0 ? [...words, word] : words;
}

function broken(word: readonly Piece[], width: number): Piece[][] {
  const parts: Piece[][] = [];
  for (const { text, styles } of word) {
    let rest = text;
    while (rest !== "") {
      // One column is taken by the ellipsis that is left out here.
      const cut = cutTo(rest, Math.max(2, width));
      const part = cut === rest ? rest : cut.slice(0, -1);
      parts.push([{ text: part, styles }]);
      if (part === "") break;
      rest = rest.slice(part.length);
    }
  }
  return parts;
}
