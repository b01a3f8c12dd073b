// What was worked out of texts, kept for when the same text comes again: the agents of a query pass passages on, and
// each round of a conversation reads them anew. Results do not depend on it.

/** Characters; a longer text is worked out each time: V8 tells longer ones apart by their length alone. */
const LONGEST_TEXT = 16_000;
/** Bytes of an entry beside its text and value. */
const ENTRY_BYTES = 200;

interface Entry<Value> {
  readonly text: string;
  readonly value: Value;
  readonly bytes: number;
}

export class TextMemory<Value> {
  readonly #maxBytes: number;
  readonly #sizeOf: (value: Value) => number;
  /** What was used since the older entries were closed. Either holds at most half of the bytes. */
  #younger = new Map<string, Entry<Value>>();
  #older: ReadonlyMap<string, Entry<Value>> = new Map();
  #bytes = 0;

  /** `sizeOf` estimates the bytes of a value, without its text. */
  constructor(maxBytes: number, sizeOf: (value: Value) => number) {
    this.#maxBytes = maxBytes;
    this.#sizeOf = sizeOf;
  }

  /** The value of `text`; `workOut` makes it when it is not known. Nobody may change a value. */
  of(text: string, workOut: (text: string) => Value): Value {
    if (text.length > LONGEST_TEXT) return workOut(text);
    const known = this.#younger.get(text);
    if (known !== undefined) return known.value;
    const entry = this.#older.get(text) ?? this.#entry(ownCopy(text), workOut);
    this.#keep(entry);
    return entry.value;
  }

  #entry(text: string, workOut: (text: string) => Value): Entry<Value> {
    const value = workOut(text);
    return { text, value, bytes: 2 * text.length + ENTRY_BYTES + this.#sizeOf(value) };
  }

  #keep(entry: Entry<Value>): void {
    const half = this.#maxBytes / 2;
    if (entry.bytes > half) return;
    if (this.#bytes + entry.bytes > half) {
      this.#older = this.#younger;
      this.#younger = new Map();
      this.#bytes = 0;
    }
    this.#younger.set(entry.text, entry);
    this.#bytes += entry.bytes;
  }
}

/** A piece of a text would keep the whole text in memory. */
function ownCopy(text: string): string {
  return ` ${text}`.slice(1);
}
