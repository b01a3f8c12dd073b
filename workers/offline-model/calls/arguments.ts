// Fills a tool's arguments from its JSON Schema: by property name, type, enum and default.
import { keyWords, tokenize } from "#shared/retrieval/tokens.ts";
import { trimEndOf } from "#shared/text/spaces.ts";
import { namedNumber, namedText, saidAfter } from "./named-values.ts";
import { asObject, propertiesOf } from "../reading/tools.ts";

/** The values that can be filled in. */
export interface Facts {
  readonly question: string;
  /** Text that the question is about. */
  readonly text?: string;
  readonly claim?: string;
  readonly evidence?: string;
  readonly url?: string;
}

type Schema = Readonly<Record<string, unknown>>;

const MEANINGS: readonly [RegExp, (facts: Facts) => string | undefined][] = [
  [
    /^(?:query|q|search|search_?query|keywords?|terms?|search_?terms?)$/,
    ({ question }) => keyWords(question).join(" "),
  ],
  [/^(?:question|message|prompt|request|task|focus|topic|subject|instructions?)$/, ({ question }) => question],
  [/^(?:url|uri|link|href)$/, ({ url, question }) => url ?? firstUrl(question)],
  [/^(?:claim|statement|assertion|hypothesis)$/, ({ claim, question }) => claim ?? question],
  [/^(?:evidence|context|sources?)$/, ({ evidence, text }) => evidence ?? text],
  [/^(?:text|content|document|passages|body|article|input)$/, ({ text, question }) => text ?? question],
  [/^(?:city|location|place|country|name|person|title)$/, ({ question }) => properName(question)],
  [/(?:date|day)$/, ({ question }) => /\b\d{4}-\d{2}-\d{2}\b/.exec(question)?.[0]],
];
const QUOTED = /["“«]([^"“«”»]+)["”»]/;
/** Optional properties that are filled; others keep the tool's default. */
const WELCOME = /^(?:focus|question|topic)$/;

/** Characters of a word that is matched against a pattern. */
const LONGEST_WORD = 64;
const LONGEST_PATTERN = 200;
/** Characters of a question that are searched for values. */
const LONGEST_QUESTION = 4_000;
/** Levels of nesting: schemas may refer to themselves. */
export const DEEPEST = 4;

/** The state of filling one schema. */
interface Filling {
  readonly facts: Facts;
  /** The part of the question that is searched for values. */
  readonly said: string;
  readonly saidTokens: ReadonlySet<string>;
  /** The question's numbers that no property has taken, in order; and the listed values that are taken. */
  readonly numbers: number[];
  readonly taken: Set<unknown>;
  readonly root: Schema;
  /** Properties whose value the question does not say. */
  readonly missing: string[];
}

/** Fills all required properties, and optional ones with a sure meaning. Uses numbers in the question's order. */
export function fillArguments(schema: Schema, facts: Facts): Record<string, unknown> {
  return fillObject(schema, begin(schema, facts), 0);
}

/** Names of required properties that the question says nothing about; fillArguments makes their values up. */
export function missingArguments(schema: Schema, facts: Facts): string[] {
  const filling = begin(schema, facts);
  fillObject(schema, filling, 0);
  return [...new Set(filling.missing)];
}

/** Fills a value of any type, as for a property of this name. */
export function fillValue(name: string, schema: Schema, facts: Facts): unknown {
  return fill(name, schema, begin(schema, facts), 0);
}

function begin(root: Schema, facts: Facts): Filling {
  const said = facts.question.slice(0, LONGEST_QUESTION);
  const saidTokens = new Set(tokenize(said));
  return { facts, said, saidTokens, numbers: numbersIn(said), taken: new Set(), root, missing: [] };
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/-?\d+(?:\.\d+)?/g)].map(([number]) => Number(number));
}

function fillObject(schema: Schema, filling: Filling, depth: number): Record<string, unknown> {
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const entries = Object.entries(propertiesOf(schema)).filter(([name]) => required.has(name) || WELCOME.test(name));
  // Named values first, so that no other property takes them.
  const named = (name: string) => Number(namedText(name, filling.said) !== undefined);
  const values = new Map(
    entries
      .toSorted(([a], [b]) => named(b) - named(a))
      .map(([name, property]) => [name, fill(name, property, filling, depth)]),
  );
  return Object.fromEntries(entries.map(([name]) => [name, values.get(name)]));
}

function fill(name: string, given: Schema, filling: Filling, depth: number): unknown {
  const schema = resolve(given, filling.root);
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) return choose(name, schema["enum"], schema["default"], filling);
  switch (typeOf(schema)) {
    case "number":
    case "integer":
      return pickNumber(name, schema, filling);
    case "boolean":
      return typeof schema["default"] === "boolean" ? schema["default"] : mentions(filling, name);
    case "array": {
      if (depth > DEEPEST) return [];
      const item = asObject(schema["items"]);
      const words = keyWords(filling.said);
      if (typeOf(resolve(item, filling.root)) === "string" && !("enum" in item) && words.length > 0) return words;
      return [fill(name.replace(/s$/, ""), item, filling, depth + 1)];
    }
    case "object":
      return depth > DEEPEST ? {} : fillObject(schema, filling, depth + 1);
    case "null":
      return null;
    default:
      return fillString(name, schema, filling);
  }
}

function fillString(name: string, schema: Schema, { facts, said, numbers, missing }: Filling): string {
  const meaning = MEANINGS.find(([pattern]) => pattern.test(name.toLowerCase()));
  const meant = meaning?.[1](facts);
  if (meant !== undefined && meant !== "") return cut(meant, schema);
  const named = namedText(name, said) ?? patterned(schema, said);
  if (named !== undefined) {
    // The number of an invoice is no amount.
    for (const number of numbersIn(named)) if (numbers.includes(number)) numbers.splice(numbers.indexOf(number), 1);
    return cut(named, schema);
  }
  if (typeof schema["default"] === "string") return schema["default"];
  const quoted = QUOTED.exec(said)?.[1];
  if (quoted === undefined) missing.push(name);
  return cut(quoted ?? facts.question, schema);
}

/** The first word with a digit that matches the schema's pattern. */
function patterned(schema: Schema, said: string): string | undefined {
  const pattern = patternOf(schema);
  if (pattern === undefined) return undefined;
  const words = said.split(/[\s,;:!?()"“”]+/).filter((word) => word.length <= LONGEST_WORD && /\d/.test(word));
  return words
    .map((word) => word.replace(/[.\p{Sc}#]+$|^[\p{Sc}#]+/gu, ""))
    .find((word) => /\d/.test(word) && pattern.test(word));
}

/** Whether all texts match the patterns that the schema asks for. */
export function hasForms(schema: Schema, input: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(propertiesOf(schema)).every(([name, property]) => {
    const value = input[name];
    return typeof value !== "string" || hasForm(property, value);
  });
}

function hasForm(schema: Schema, text: string): boolean {
  const pattern = patternOf(schema);
  return pattern === undefined || (text.length <= LONGEST_WORD && pattern.test(text));
}

/** The schema's pattern. Undefined for a pattern that could take long or is invalid: schemas are foreign. */
function patternOf(schema: Schema): RegExp | undefined {
  const pattern = schema["pattern"];
  if (typeof pattern !== "string" || pattern.length > LONGEST_PATTERN || mayTakeLong(pattern)) return undefined;
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}

/**
 * Whether matching a word may take long: repeated groups may backtrack exponentially, several repeats take a power of
 * the word's length.
 */
function mayTakeLong(pattern: string): boolean {
  return /\)[*+{]|\\[1-9k]/.test(pattern) || (pattern.match(/[*+]|,\}/g) ?? []).length > 3;
}

function cut(text: string, schema: Schema): string {
  return typeof schema["maxLength"] === "number" ? text.slice(0, schema["maxLength"]) : text;
}

/** The number that the question names for the property, or else the next unused number. */
function pickNumber(name: string, schema: Schema, { said, numbers, missing }: Filling): number {
  const named = namedNumber(name, said);
  const integer = typeOf(schema) === "integer";
  const fits = (number: number) => !integer || Number.isInteger(number);
  const next = named !== undefined && fits(named) ? named : numbers.find(fits);
  if (next !== undefined) numbers.splice(numbers.indexOf(next), 1);
  else if (typeof schema["default"] !== "number") missing.push(name);
  const fallback = typeof schema["default"] === "number" ? schema["default"] : 1;
  const low = typeof schema["minimum"] === "number" ? schema["minimum"] : -Infinity;
  const high = typeof schema["maximum"] === "number" ? schema["maximum"] : Infinity;
  return Math.min(high, Math.max(low, next ?? fallback));
}

/**
 * The value that the question names for the property ("to mi"), or else the one that it mentions, the default, or the
 * first. Several mentioned values are not sure.
 */
function choose(name: string, values: readonly unknown[], fallback: unknown, filling: Filling): unknown {
  const { said, taken, missing } = filling;
  const named = namedText(name, said);
  const follows = saidAfter(name, said)?.toLowerCase();
  const mentioned = values.filter(
    (value) => typeof value === "string" && !taken.has(value) && mentions(filling, value),
  );
  const sure =
    values.find((value) => named !== undefined && value === named) ??
    values.find((value) => typeof value === "string" && follows !== undefined && value.toLowerCase() === follows) ??
    (mentioned.length === 1 ? mentioned[0] : undefined);
  if (sure === undefined && fallback === undefined) missing.push(name);
  if (sure !== undefined) taken.add(sure);
  return sure ?? mentioned[0] ?? fallback ?? values[0];
}

function mentions({ saidTokens }: Filling, phrase: string): boolean {
  const words = tokenize(phrase.replaceAll("_", " "));
  return words.length > 0 && words.every((word) => saidTokens.has(word));
}

function resolve(schema: Schema, root: Schema): Schema {
  const reference = schema["$ref"];
  if (typeof reference === "string" && reference.startsWith("#/")) {
    const keys = reference.slice(2).split("/");
    return keys.reduce<Schema>((node, key) => asObject(node[key]), root);
  }
  const options = schema["anyOf"] ?? schema["oneOf"];
  if (!Array.isArray(options)) return schema;
  return asObject(options.find((option) => asObject(option)["type"] !== "null"));
}

function typeOf(schema: Schema): unknown {
  const type = schema["type"];
  if (Array.isArray(type)) return type.find((one) => one !== "null");
  return type ?? ("properties" in schema ? "object" : "string");
}

export function firstUrl(text: string): string | undefined {
  const [url] = /https?:\/\/[^\s<>"')\]]+/.exec(text) ?? [];
  return url === undefined ? undefined : trimEndOf(url, /[.,;:!?]/);
}

/** A run of capitalised words that does not begin the sentence: "Paris", "New York". */
function properName(question: string): string | undefined {
  return /(?<=\s)\p{Lu}[\p{L}\p{N}-]*(?:\s+\p{Lu}[\p{L}\p{N}-]*)*/u.exec(question)?.[0];
}
