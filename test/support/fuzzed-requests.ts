// Requests that are nearly right, made of valid ones by a seeded generator: the same seed makes the same requests.

export interface Sample {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface FuzzedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
}

type Random = () => number;

/** Numbers from 0 to 1 (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One of the samples with some of its parts spoilt. */
export function fuzzed(samples: readonly Sample[], random: Random): FuzzedRequest {
  const sample = pick(samples, random);
  const method = random() < 0.1 ? pick(METHODS, random) : sample.method;
  const path = random() < 0.3 ? spoilPath(sample.path, random) : sample.path;
  const headers: Record<string, string> = { ...sample.headers };
  const hasBody = sample.body !== undefined && method !== "GET" && method !== "HEAD";
  if (hasBody) headers["content-type"] ??= "application/json";
  if (random() < 0.15) headers[pick(HEADERS, random)] = pick(HEADER_VALUES, random);
  return { method, path, headers, ...(hasBody ? { body: spoilBody(sample.body, random) } : {}) };
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];
const HEADERS = [
  "content-type",
  "a2a-version",
  "authorization",
  "traceparent",
  "content-encoding",
  "if-none-match",
  "accept",
  "origin",
];
const HEADER_VALUES = [
  "",
  "application/json; charset=utf-16",
  "text/plain",
  "application/x-protobuf",
  "gzip",
  "0.3",
  "1.0.1",
  "Bearer x.y",
  "00-00000000000000000000000000000000-0000000000000000-00",
  "00-zz-ff",
  "null",
  "x".repeat(5_000),
];

const TEXTS = [
  "",
  " ",
  "\0",
  "\ud83d",
  "\udc00 half",
  "a\u0000b",
  "%",
  "%00",
  "%2F..%2F",
  "../../etc/passwd",
  "' OR 1=1 --",
  '"*',
  "NEAR(a b, 99999999999)",
  "~",
  "a~b.1",
  "__proto__",
  "constructor",
  "null",
  "2026-13-45T99:99:99Z",
  "9".repeat(400),
  "x".repeat(70_000),
  "[".repeat(20_000),
  "<".repeat(20_000),
  "ÅÄ\u0301\u202e仓库",
];

const NUMBERS = [0, -0, -1, 1, 0.5, 1e21, -1e308, 2 ** 53, 2 ** 31, -(2 ** 63), Number.MAX_VALUE, 4e12];

/** More than any server takes, and few enough for the recursion here, whatever the engine makes of its frames. */
const MOST_DEPTH = 600;

function odd(random: Random): unknown {
  if (random() < 0.5) return pick(TEXTS, random);
  switch (Math.floor(random() * 6)) {
    case 0:
      return pick(NUMBERS, random);
    case 1:
      return null;
    case 2:
      return random() < 0.5;
    case 3:
      return Array.from({ length: Math.floor(random() * 4) }, () => odd(random));
    case 4:
      return { [pick(TEXTS, random)]: odd(random) };
    default:
      return nested(Math.floor(random() * MOST_DEPTH));
  }
}

function nested(depth: number): unknown {
  let value: unknown = "deep";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** A copy in which one value, or a few, is another or missing. */
function spoilJson(value: unknown, random: Random): unknown {
  const times = random() < 0.7 ? 1 : 3;
  let spoilt = value;
  for (let time = 0; time < times; time++) {
    const chosen = Math.floor(random() * countOf(spoilt));
    spoilt = spoilAt(spoilt, { left: chosen }, random);
  }
  return spoilt;
}

function countOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + countOf(inner), 1);
}

/** Spoils the value that comes after `left` others, parents before their children. */
function spoilAt(value: unknown, count: { left: number }, random: Random): unknown {
  if (count.left-- === 0) return odd(random);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => spoilAt(inner, count, random));
  const entries: [string, unknown][] = [];
  for (const [name, inner] of Object.entries(value)) {
    const isNext = count.left === 0;
    if (isNext && random() < 0.2) count.left--;
    else entries.push([isNext && random() < 0.1 ? pick(TEXTS, random) : name, spoilAt(inner, count, random)]);
  }
  return Object.fromEntries(entries);
}

function spoilBody(body: unknown, random: Random): BodyInit {
  const kind = random();
  if (kind < 0.15) return JSON.stringify(body);
  const text = JSON.stringify(kind < 0.85 ? spoilJson(body, random) : body);
  if (kind < 0.85) return text;
  if (kind < 0.9) return text.slice(0, Math.floor(random() * text.length));
  if (kind < 0.93) return `\ufeff${text}`;
  if (kind < 0.96) return "[".repeat(50_000);
  return Uint8Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256));
}

function spoilPath(path: string, random: Random): string {
  const [plain = "", query = ""] = path.split("?");
  const segments = plain.split("/").map((segment, index) => {
    return index > 0 && random() < 0.4 ? segmentOf(pick(TEXTS, random), random) : segment;
  });
  const pairs = query === "" ? [] : query.split("&");
  const spoilt = pairs.map((pair) =>
    random() < 0.4 ? `${pair.split("=")[0] ?? ""}=${segmentOf(text(random), random)}` : pair,
  );
  if (random() < 0.3)
    spoilt.push(`${pick(["limit", "pageSize", "after", "q", "A2A-Version"], random)}=${text(random)}`);
  return `${segments.join("/") || "/"}${spoilt.length > 0 ? `?${spoilt.join("&")}` : ""}`;
}

function text(random: Random): string {
  return segmentOf(random() < 0.5 ? pick(TEXTS, random) : String(pick(NUMBERS, random)), random);
}

/** As a client may write it, or escaped as it should be. */
function segmentOf(value: string, random: Random): string {
  const short = value.slice(0, 2_000).toWellFormed();
  return random() < 0.5 ? encodeURIComponent(short) : short.replace(/[\0\s#?]/g, "_");
}

function pick<Value>(values: readonly Value[], random: Random): Value {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new RangeError("There is nothing to choose from.");
  return value;
}
