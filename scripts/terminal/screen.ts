// The size of a terminal, and whether it shows colours. A file or a pipe counts as 80 columns without colours.
import { styleText } from "node:util";

export interface Screen {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly colours: boolean;
}

export const PLAIN_SCREEN: Screen = { isTerminal: false, columns: 80, rows: 24, colours: false };

/** The present state: a window may change its size. */
export function screenOf({ isTTY, columns, rows }: NodeJS.WriteStream): Screen {
  if (!isTTY) return PLAIN_SCREEN;
  // https://no-color.org: any value but the empty one.
  const unwanted = (process.env["NO_COLOR"] ?? "") !== "" || process.env["TERM"] === "dumb";
  return { isTerminal: true, columns: columns || 80, rows: rows || 24, colours: !unwanted };
}

export type Paint = (text: string) => string;

type Style = "bold" | "italic" | "strikethrough" | "dim" | "red" | "yellow" | "cyan";

/** A function for each style; without colours it returns the text unchanged. */
export function paints({ colours }: Pick<Screen, "colours">): Readonly<Record<Style, Paint>> {
  // The screen knows whether colours are wanted, so styleText looks at no stream.
  const paint =
    (style: Style): Paint =>
    (text) =>
      colours && text !== "" ? styleText(style, text, { validateStream: false }) : text;
  return {
    bold: paint("bold"),
    italic: paint("italic"),
    strikethrough: paint("strikethrough"),
    dim: paint("dim"),
    red: paint("red"),
    yellow: paint("yellow"),
    cyan: paint("cyan"),
  };
}
