// Reads texts for ranking and quoting: words, headings and sentences, each text once as long as it is remembered.
import { headingsOf, splitParagraphs } from "./sentences.ts";
import { TextMemory } from "./text-memory.ts";
import { tokenize } from "./tokens.ts";

export interface Words {
  /** As `tokenize` gives them. */
  readonly tokens: readonly string[];
  readonly set: ReadonlySet<string>;
}

/** A text whose parts are read when they are needed: of a long one perhaps not all are. */
export class ReadText {
  readonly text: string;
  #words: Words | undefined;
  #headings: readonly string[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get words(): Words {
    return (this.#words ??= wordsIn(this.text));
  }

  /** As `headingsOf` gives them. */
  get headings(): readonly string[] {
    return (this.#headings ??= headingsOf(this.text));
  }
}

export interface ReadParagraph {
  /** Tokens of the heading above; the same array throughout a section. */
  readonly heading: readonly string[];
  readonly sentences: readonly ReadText[];
}

/** Of either memory. */
const MAX_BYTES = 4_000_000;
/** Bytes of a token in its list and its set, and of an object with its lists, at most. */
const TOKEN_BYTES = 64;
const OBJECT_BYTES = 250;

const texts = new TextMemory<ReadText>(MAX_BYTES, ({ words, headings }) =>
  headings.reduce((bytes, heading) => bytes + OBJECT_BYTES + 2 * heading.length, bytesOf(words)),
);
const paragraphs = new TextMemory<readonly ReadParagraph[]>(MAX_BYTES, (read) =>
  read.reduce((sum, { heading, sentences }) => {
    const inside = sentences.reduce((bytes, { text, words }) => bytes + 2 * text.length + bytesOf(words), 0);
    return sum + OBJECT_BYTES + TOKEN_BYTES * heading.length + inside;
  }, 0),
);

export function readText(text: string): ReadText {
  return texts.of(text, (own) => new ReadText(own));
}

/** The sentences by paragraph, as `splitParagraphs` gives them. */
export function readParagraphs(text: string): readonly ReadParagraph[] {
  return paragraphs.of(text, (own) => {
    let heading: readonly string[] = [];
    let above = "";
    return splitParagraphs(own).map((part) => {
      if (part.heading !== above) heading = tokenize(part.heading);
      above = part.heading;
      return { heading, sentences: part.sentences.map((sentence) => new ReadText(sentence)) };
    });
  });
}

function wordsIn(text: string): Words {
  const tokens = tokenize(text);
  return { tokens, set: new Set(tokens) };
}

function bytesOf({ tokens }: Words): number {
  return OBJECT_BYTES + TOKEN_BYTES * tokens.length;
}
