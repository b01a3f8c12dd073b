// Fills a tool's arguments from its JSON Schema: by property name, then by type, enum and default.
import { keyWords, tokenize } from "#shared/text/tokens.ts";
import { namedNumber, namedText } from "./named-values.ts";
import { asObject, propertiesOf } from "./tools.ts";

/** What there is to fill in. */
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
/** Optional properties worth filling; others keep the tool's own default. */
const WELCOME = /^(?:focus|question|topic)$/;

/** Characters of a text that is held against a pattern. */
const LONGEST_WORD = 200;

/** Fills every required property, and optional ones where the meaning is sure. Numbers are used in the question's order. */
export function fillArguments(schema: Schema, facts: Facts): Record<string, unknown> {
  return fillObject(schema, facts, numbersIn(facts.question), schema, 0);
}

function numbersIn(question: string): number[] {
  return [...question.matchAll(/-?\d+(?:\.\d+)?/g)].map(([number]) => Number(number));
}

/** Fills a value of any type, as a property of this name would be filled. */
export function fillValue(name: string, schema: Schema, facts: Facts): unknown {
  return fill(name, schema, facts, numbersIn(facts.question), schema, 0);
}

function fillObject(
  schema: Schema,
  facts: Facts,
  numbers: number[],
  root: Schema,
  depth: number,
): Record<string, unknown> {
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const entries = Object.entries(propertiesOf(schema)).filter(([name]) => required.has(name) || WELCOME.test(name));
  return Object.fromEntries(
    entries.map(([name, property]) => [name, fill(name, property, facts, numbers, root, depth)]),
  );
}

function fill(name: string, given: Schema, facts: Facts, numbers: number[], root: Schema, depth: number): unknown {
  const schema = resolve(given, root);
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) {
    const named = namedText(name, facts.question);
    return named !== undefined && schema["enum"].includes(named)
      ? named
      : choose(schema["enum"], facts.question, schema["default"]);
  }
  switch (typeOf(schema)) {
    case "number":
    case "integer":
      return pickNumber(schema, numbers, namedNumber(name, facts.question));
    case "boolean":
      return typeof schema["default"] === "boolean" ? schema["default"] : mentions(facts.question, name);
    case "array": {
      if (depth > 4) return [];
      const item = asObject(schema["items"]);
      const words = keyWords(facts.question);
      if (typeOf(resolve(item, root)) === "string" && !("enum" in item) && words.length > 0) return words;
      return [fill(name.replace(/s$/, ""), item, facts, numbers, root, depth + 1)];
    }
    case "object":
      return depth > 4 ? {} : fillObject(schema, facts, numbers, root, depth + 1);
    case "null":
      return null;
    default:
      return fillString(name, schema, facts);
  }
}

function fillString(name: string, schema: Schema, facts: Facts): string {
  const meaning = MEANINGS.find(([pattern]) => pattern.test(name.toLowerCase()));
  const meant = meaning?.[1](facts);
  if (meant !== undefined && meant !== "") return cut(meant, schema);
  const named = namedText(name, facts.question) ?? patterned(schema, facts.question);
  if (named !== undefined) return cut(named, schema);
  if (typeof schema["default"] === "string") return schema["default"];
  const quoted = /["“«]([^"”»]+)["”»]/.exec(facts.question)?.[1];
  return cut(quoted ?? facts.question, schema);
}

/** The first word with a digit that has the form that the schema asks for. */
function patterned(schema: Schema, question: string): string | undefined {
  if (patternOf(schema) === undefined) return undefined;
  const words = question.split(/[\s,;:!?()"“”]+/).map((word) => word.replace(/[.\p{Sc}#]+$|^[\p{Sc}#]+/gu, ""));
  return words.find((word) => /\d/.test(word) && hasForm(schema, word));
}

/** Whether the question held what the tool cannot do without: texts in the form that the schema asks for. */
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

function patternOf(schema: Schema): RegExp | undefined {
  try {
    return typeof schema["pattern"] === "string" ? new RegExp(schema["pattern"]) : undefined;
  } catch {
    // Patterns come from anywhere, and not every engine's are JavaScript's.
    return undefined;
  }
}

function cut(text: string, schema: Schema): string {
  return typeof schema["maxLength"] === "number" ? text.slice(0, schema["maxLength"]) : text;
}

/** The number that the question names for it, else the next of those that it has. */
function pickNumber(schema: Schema, numbers: number[], named: number | undefined): number {
  const integer = typeOf(schema) === "integer";
  const fits = (number: number) => !integer || Number.isInteger(number);
  const next = named !== undefined && fits(named) ? named : numbers.find(fits);
  if (next !== undefined) numbers.splice(numbers.indexOf(next), 1);
  const fallback = typeof schema["default"] === "number" ? schema["default"] : 1;
  const low = typeof schema["minimum"] === "number" ? schema["minimum"] : -Infinity;
  const high = typeof schema["maximum"] === "number" ? schema["maximum"] : Infinity;
  return Math.min(high, Math.max(low, next ?? fallback));
}

/** The value whose words occur in the question, else the default, else the first. */
function choose(values: readonly unknown[], question: string, fallback: unknown): unknown {
  return values.find((value) => typeof value === "string" && mentions(question, value)) ?? fallback ?? values[0];
}

function mentions(question: string, phrase: string): boolean {
  const asked = new Set(tokenize(question));
  const words = tokenize(phrase.replaceAll("_", " "));
  return words.length > 0 && words.every((word) => asked.has(word));
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
  return /https?:\/\/[^\s<>"')\]]+/.exec(text)?.[0].replace(/[.,;:!?]+$/, "");
}

/** A run of capitalised words that does not begin the sentence: "Paris", "New York". */
function properName(question: string): string | undefined {
  return /(?<=\s)\p{Lu}[\p{L}\p{N}-]*(?:\s+\p{Lu}[\p{L}\p{N}-]*)*/u.exec(question)?.[0];
}
