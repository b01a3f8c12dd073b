// The text of a Word document (ECMA-376, part 1, section 17): paragraphs, headings, table rows, foot- and endnotes.
import { strFromU8, unzipSync } from "fflate";
import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";

const PARTS = ["word/document.xml", "word/footnotes.xml", "word/endnotes.xml"];
/** Limit of the unpacked size: a few kilobytes can claim gigabytes. */
const MOST_BYTES = 64 * 1024 * 1024;
const HEADING = /^Heading([1-6])$/;

/** Markdown. Throws Error with the reason. */
export function docxText(bytes: Uint8Array): string {
  const parts = unzipSync(bytes, {
    filter: ({ name, originalSize }) => {
      if (!PARTS.includes(name)) return false;
      if (originalSize > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES / 1024 / 1024} MB unpacked`);
      return true;
    },
  });
  const texts = PARTS.flatMap((name) => parts[name] ?? []).map((part) => xmlText(strFromU8(part)));
  if (texts.length === 0) throw new Error("it holds no Word document");
  return texts.join("\n\n");
}

/** Reads in one pass without a tree, so that deep nesting does no harm. */
function xmlText(xml: string): string {
  const written: string[] = [];
  let element = "";
  let attribute = "";
  let inText = false;
  let tables = 0;
  const begin = (name: string) => {
    if (name === "w:t") inText = true;
    if (name === "w:tab") written.push("\t");
    if (name === "w:br" || name === "w:cr") written.push("\n");
    if (name === "w:tbl") tables += 1;
  };
  const end = (name: string) => {
    if (name === "w:t") inText = false;
    if (name === "w:p") written.push(tables > 0 ? " " : "\n\n");
    if (name === "w:tc") written.push("| ");
    if (name === "w:tr") written.push("\n");
    if (name === "w:tbl") {
      tables -= 1;
      written.push("\n");
    }
  };
  const ignored = () => undefined;
  const callbacks: TokenizerCallbacks = {
    onopentagname: (start, stop) => {
      element = xml.slice(start, stop);
    },
    onattribname: (start, stop) => {
      attribute = xml.slice(start, stop);
    },
    onattribdata: (start, stop) => {
      if (element !== "w:pStyle" || attribute !== "w:val") return;
      const level = HEADING.exec(xml.slice(start, stop))?.[1];
      if (level !== undefined) written.push(`${"#".repeat(Number(level))} `);
    },
    onopentagend: () => begin(element),
    onselfclosingtag: () => {
      begin(element);
      end(element);
    },
    onclosetag: (start, stop) => end(xml.slice(start, stop)),
    ontext: (start, stop) => {
      if (inText) written.push(xml.slice(start, stop));
    },
    ontextentity: (codePoint) => {
      if (inText) written.push(String.fromCodePoint(codePoint));
    },
    oncdata: ignored,
    oncomment: ignored,
    ondeclaration: ignored,
    onprocessinginstruction: ignored,
    onattribentity: ignored,
    onattribend: ignored,
    onend: ignored,
  };
  const tokenizer = new Tokenizer({ xmlMode: true }, callbacks);
  tokenizer.write(xml);
  tokenizer.end();
  return written.join("").trim();
}
