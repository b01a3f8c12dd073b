// Decodes bytes as text: by byte order mark, by the declared encoding, as UTF-8, and as UTF-16 or Windows-1252 where
// that is clear.

export interface Decoded {
  readonly text: string;
  /** Name by the Encoding standard. */
  readonly encoding: string;
}

/** Why the bytes cannot be decoded. `reason` follows a file's name: "is binary". */
export interface Undecoded {
  readonly reason: string;
}

/**
 * Bytes within which a page must declare its encoding. https://html.spec.whatwg.org/#determining-the-character-encoding
 */
const DECLARED_WITHIN = 1024;
const SAMPLE_BYTES = 64 * 1024;
/** Characters that occur in no text. */
const NO_TEXT = /[\0-\x08\x0e-\x1f\x7f\ufffe\uffff]|\p{Cn}|\p{Co}/u;
const EAST_ASIAN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef\s]/gu;
const LEAST_EAST_ASIAN = 0.95;
/** Bytes that Windows-1252 leaves open. */
const NOT_1252: ReadonlySet<number> = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/** A larger share of accented letters, or a longer run of them, means another alphabet. */
const MOST_ACCENTED = 0.25;
const LONGEST_ACCENTED_RUN = 3;

/** `declared` is the charset of the HTTP response; HTML and XML may declare their own. */
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

/** The encoding that an HTML or XML document declares. Ignores UTF-8, which many documents declare wrongly. */
function declaredIn(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder("windows-1252").decode(bytes.subarray(0, DECLARED_WITHIN));
  const [, label] =
    /<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([\w-]+)/i.exec(start) ??
    /^<\?xml[^>]{0,100}encoding=["']([\w-]+)/.exec(start) ??
    [];
  // A declaration that is readable byte by byte cannot stand in UTF-16.
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

/** UTF-16 of Chinese or Japanese without spaces: told from older encodings by its full stops and commas. */
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

/** Whether the bytes look Western European: few accented letters, and no signs within words. */
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

/** ¡ to ¿, except ª, · and º, which occur in words. */
function isSign(byte: number): boolean {
  return byte >= 0xa1 && byte <= 0xbf && byte !== 0xaa && byte !== 0xb7 && byte !== 0xba;
}

function isLetter(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return byte >= 0xc0 || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
