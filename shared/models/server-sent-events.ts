// Reads Server-Sent Events from bytes (WHATWG HTML, section 9.2.6), and takes what the API's own client takes: each line
// may begin with a byte order mark. No byte is looked at more often because the chunks are smaller.
import { MAX_PIECE, tooMuch } from "./watched-body.ts";

export interface ServerSentEvent {
  /** Empty where it has none. */
  readonly name: string;
  /** Never empty: what has no data is no event. */
  readonly data: string;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const COLON = 58;
const BYTE_ORDER_MARK = 0xfeff;

/** Decodes whole lines only, so it keeps nothing between them. */
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

export class EventReader {
  /** The line that has begun: the first `#length` bytes. */
  #line = new Uint8Array(0);
  #length = 0;
  #sinceLineFeed = 0;
  /** A line feed after a carriage return ends no other line. */
  #afterReturn = false;
  #name = "";
  #data: string | undefined;

  /** The events that end in `chunk`. Throws ModelError for a line that is too long. */
  push(chunk: Uint8Array): ServerSentEvent[] {
    if (chunk.length === 0) return [];
    const lineFeed = chunk.lastIndexOf(LINE_FEED);
    this.#sinceLineFeed = lineFeed === -1 ? this.#sinceLineFeed + chunk.length : chunk.length - lineFeed - 1;
    if (this.#sinceLineFeed > MAX_PIECE) throw tooMuch();
    const begin = this.#afterReturn && chunk[0] === LINE_FEED ? 1 : 0;
    this.#afterReturn = chunk[chunk.length - 1] === CARRIAGE_RETURN;
    let end = chunk.length;
    while (end > lineFeed + 1 && chunk[end - 1] !== CARRIAGE_RETURN) end--;
    const events = end > begin ? this.#read(this.#lines(chunk.subarray(begin, end))) : [];
    if (end < chunk.length) this.#keep(chunk.subarray(end));
    return events;
  }

  /** The events that end with the stream: its last line needs no end. */
  end(): ServerSentEvent[] {
    return this.#read(this.#lines(new Uint8Array(0)));
  }

  /** The line that has begun, up to the end of `bytes`. */
  #lines(bytes: Uint8Array): string {
    if (this.#length === 0) return decoder.decode(bytes);
    this.#keep(bytes);
    const lines = decoder.decode(this.#line.subarray(0, this.#length));
    this.#length = 0;
    return lines;
  }

  /** Doubles the room where it is too small, so that a line of many chunks is copied a few times only. */
  #keep(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#line.length) {
      const line = new Uint8Array(Math.max(length, 2 * this.#line.length));
      line.set(this.#line.subarray(0, this.#length));
      this.#line = line;
    }
    this.#line.set(bytes, this.#length);
    this.#length = length;
  }

  #read(lines: string): ServerSentEvent[] {
    const find = (end: string, from: number) => {
      const found = lines.indexOf(end, from);
      return found === -1 ? lines.length : found;
    };
    const events: ServerSentEvent[] = [];
    let [at, lineFeed, carriageReturn] = [0, find("\n", 0), find("\r", 0)];
    while (at < lines.length) {
      const end = Math.min(lineFeed, carriageReturn);
      const event = this.#take(lines, at, end);
      if (event) events.push(event);
      at = end + (end === carriageReturn && lineFeed === end + 1 ? 2 : 1);
      if (lineFeed < at) lineFeed = find("\n", at);
      if (carriageReturn < at) carriageReturn = find("\r", at);
    }
    return events;
  }

  /** Takes the line of `lines` from `begin` to `end`. Returns the event that it ends. */
  #take(lines: string, begin: number, end: number): ServerSentEvent | undefined {
    const at = lines.charCodeAt(begin) === BYTE_ORDER_MARK ? begin + 1 : begin;
    if (at === end) return this.#ended();
    if (lines.startsWith("data", at)) {
      const data = valueIn(lines, at + 4, end);
      if (data !== undefined) this.#data = this.#data === undefined ? data : `${this.#data}\n${data}`;
    } else if (lines.startsWith("event", at)) {
      this.#name = valueIn(lines, at + 5, end) ?? this.#name;
    }
    return undefined;
  }

  #ended(): ServerSentEvent | undefined {
    const [name, data = ""] = [this.#name, this.#data];
    [this.#name, this.#data] = ["", undefined];
    return data === "" ? undefined : { name, data };
  }
}

/** The value after a field's name, which ends at `at`; undefined where the name goes on. */
function valueIn(lines: string, at: number, end: number): string | undefined {
  if (at === end) return "";
  if (lines.charCodeAt(at) !== COLON) return undefined;
  return lines.slice(lines.charCodeAt(at + 1) === SPACE ? at + 2 : at + 1, end);
}
