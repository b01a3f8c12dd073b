// Bytes as text: by byte order mark, by what they are declared to be, as UTF-8, and where they clearly are, as UTF-16 or Windows-1252.

export interface Decoded {
  readonly text: string;
  /** As the Encoding standard names it. */
  readonly encoding: string;
}

/** Why the bytes are no text that can be read, to follow a file's name: "is binary". */
export interface Undecoded {
  readonly reason: string;
}

/** Within these a page has to declare its encoding. https://html.spec.whatwg.org/#determining-the-character-encoding */
const DECLARED_WITHIN = 1024;
const SAMPLE_BYTES = 64 * 1024;
/** Characters that no text has. */
const NO_TEXT = /[\0-\x08\x0e-\x1f\x7f\ufffe\uffff]|\p{Cn}|\p{Co}/u;
const EAST_ASIAN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef\s]/gu;
const LEAST_EAST_ASIAN = 0.95;
/** Bytes that Windows-1252 leaves open. */
const NOT_1252: ReadonlySet<number> = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/** More letters with accents than this, or so many in a row, are another alphabet. */
const MOST_ACCENTED = 0.25;
const LONGEST_ACCENTED_RUN = 3;

/** `declared` is what HTTP says; HTML and XML may say it themselves. */
export function decodeText(bytes: Uint8Array, declared?: string): Decoded | Undecoded {
  if (startsWith(bytes, 0xff, 0xfe, 0, 0) || startsWith(bytes, 0, 0, 0xfe, 0xff)) {
    return { reason: "is in UTF-32: save it as UTF-8" };
  }
  const marked = byteOrderMark(bytes) ?? known(declared) ?? known(declaredIn(bytes));
  if (marked !== undefined) return { text: new TextDecoder(marked).decode(bytes), encoding: marked };
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (sample.includes(0)) return asUtf16(bytes) ?? { reason: "is binary" };
  return (
    decode(bytes, "utf-8") ??
    (isWindows1252(bytes) ? decode(bytes, "windows-1252") : undefined) ??
    asEastAsianUtf16(bytes) ?? { reason: "is in an encoding that cannot be told: save it as UTF-8" }
  );
}

/** The encoding that a page or an XML document names; UTF-8 is left to be found out, since many that say so are not. */
function declaredIn(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder("windows-1252").decode(bytes.subarray(0, DECLARED_WITHIN));
  const [, label] =
    /<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([\w-]+)/i.exec(start) ??
    /^<\?xml[^>]{0,100}encoding=["']([\w-]+)/.exec(start) ??
    [];
  // Who can read this byte by byte has no UTF-16 at hand.
  return label === undefined || /^utf-?(?:8|16)/i.test(label) ? undefined : label;
}

function known(label: string | undefined): string | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    // Pages name encodings that do not exist; nearly all of them are UTF-8.
    return undefined;
  }
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (startsWith(bytes, 0xef, 0xbb, 0xbf)) return "utf-8";
  if (startsWith(bytes, 0xfe, 0xff)) return "utf-16be";
  return startsWith(bytes, 0xff, 0xfe) ? "utf-16le" : undefined;
}

function startsWith(bytes: Uint8Array, ...start: number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

function decode(bytes: Uint8Array, encoding: string): Decoded | undefined {
  try {
    return { text: new TextDecoder(encoding, { fatal: true, ignoreBOM: false }).decode(bytes), encoding };
  } catch {
    // Not that encoding.
    return undefined;
  }
}

/** UTF-16 without its mark: spaces and line ends have a zero byte, always on the same side. */
function asUtf16(bytes: Uint8Array): Decoded | undefined {
  const zeros = [0, 0];
  for (let index = 0; index < Math.min(bytes.length, SAMPLE_BYTES); index += 1) {
    if (bytes[index] === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  }
  const [even = 0, odd = 0] = zeros;
  if (Math.min(even, odd) * 20 > Math.max(even, odd)) return undefined;
  const decoded = decode(bytes, odd > even ? "utf-16le" : "utf-16be");
  return decoded === undefined || NO_TEXT.test(decoded.text) ? undefined : decoded;
}

/** The same in Chinese or Japanese without a space; only its full stops and commas tell it from older encodings. */
function asEastAsianUtf16(bytes: Uint8Array): Decoded | undefined {
  return (["utf-16le", "utf-16be"] as const)
    .map((encoding) => decode(bytes, encoding))
    .find((decoded) => {
      if (decoded === undefined || NO_TEXT.test(decoded.text) || !/[\u3001\u3002\uff0c]/.test(decoded.text))
        return false;
      const others = decoded.text.replaceAll(EAST_ASIAN, "").length;
      return others <= decoded.text.length * (1 - LEAST_EAST_ASIAN);
    });
}

/** Western European: some accented letters among plain ones, no signs within words, as other alphabets would show. */
function isWindows1252(bytes: Uint8Array): boolean {
  let accented = 0;
  let run = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if ((byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d].includes(byte)) || byte === 0x7f || NOT_1252.has(byte)) return false;
    if (byte < 0x80) {
      run = 0;
      continue;
    }
    accented += 1;
    run += 1;
    if (run > LONGEST_ACCENTED_RUN) return false;
    if (isSign(byte) && isLetter(bytes[index - 1]) && isLetter(bytes[index + 1])) return false;
  }
  return accented <= bytes.length * MOST_ACCENTED;
}

/** ¡ to ¿ but ª, · and º, which words have. */
function isSign(byte: number): boolean {
  return byte >= 0xa1 && byte <= 0xbf && byte !== 0xaa && byte !== 0xb7 && byte !== 0xba;
}

function isLetter(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return byte >= 0xc0 || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
