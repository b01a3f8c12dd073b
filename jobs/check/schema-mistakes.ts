// zod's issues as mistakes of a job file: unknown fields with the nearest right one, missing fields, wrong values.
import type * as z from "zod";

import type { Mistake } from "../file/mistake.ts";
import { suggest } from "#shared/text/nearest.ts";
import { DURATION_PATTERN } from "#shared/text/duration.ts";
import { jobJsonSchema, RULES } from "../schema/schema.ts";
import type { Path, Source } from "../file/source.ts";

type Issue = z.core.$ZodIssue;

/** A mistake for each issue, at its place, in zod's order. */
export function schemaMistakes(issues: readonly Issue[], source: Source): Mistake[] {
  return issues.flatMap((issue) => describe(issue, issue.path, source));
}

function describe(issue: Issue, path: Path, source: Source): Mistake[] {
  const field = nameOf(path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) =>
        source.mistake([...path, key], `unknown field "${key}"`, suggest(key, fieldsAt(path, source.data)), "key"),
      );
    case "invalid_type": {
      const input = valueAt(source.data, path);
      if (input === undefined) return [missing(path, source)];
      const kind = issue.expected === "int" && Number.isFinite(input) ? "one with a fraction" : kindOf(input);
      const message = `${field} must be ${article(issue.expected)}, not ${kind}`;
      return [source.mistake(path, message, correction(issue.expected, path, input, source))];
    }
    case "invalid_value": {
      const input = valueAt(source.data, path);
      if (input === undefined) return [missing(path, source)];
      return [oneOf(path, input, issue.values.map(String), source)];
    }
    case "invalid_union":
      return describeUnion(issue, path, source);
    case "invalid_key":
      return issue.issues.map((inner) => source.mistake(path, `${field}: ${inner.message}`, "", "key"));
    default:
      return [source.mistake(path, `${field}: ${issue.message}`)];
  }
}

function describeUnion(issue: Extract<Issue, { code: "invalid_union" }>, path: Path, source: Source): Mistake[] {
  const input = valueAt(source.data, path);
  if (issue.discriminator !== undefined) {
    if (input === undefined) return [missing(path, source)];
    const options = "options" in issue && Array.isArray(issue.options) ? issue.options : [];
    return [oneOf(path, input, options.map(String), source)];
  }
  // The user meant the variant that got past its own type; without one, one mistake says so.
  const meant = issue.errors.find((errors) => errors.every((error) => error.path.length > 0));
  if (meant === undefined) {
    return [source.mistake(path, `${nameOf(path)} must be a name or a list of names, not ${kindOf(input)}`)];
  }
  return meant.flatMap((error) => describe(error, [...path, ...error.path], source));
}

function oneOf(path: Path, input: unknown, values: string[], source: Source): Mistake {
  const shown = typeof input === "string" ? `"${input.slice(0, 100)}"` : kindOf(input);
  const typed = source.typed(path) ?? "";
  const hint =
    typeof input !== "string" && values.includes(typed)
      ? `Put it in quotes: "${typed}".`
      : suggest(String(input), values);
  return source.mistake(path, `${nameOf(path)} cannot be ${shown}`, hint);
}

function missing(path: Path, source: Source): Mistake {
  const parent = path.slice(0, -1);
  const owner = parent.length === 0 ? "the job" : nameOf(parent);
  return source.mistake(parent, `${owner} lacks the field "${String(path.at(-1))}"`);
}

/** A path as a person writes it: `agents[0].id`. */
function nameOf(path: Path): string {
  let name = "";
  for (const segment of path) {
    if (typeof segment === "number") name += `[${segment}]`;
    else name += name === "" ? String(segment) : `.${String(segment)}`;
  }
  return name === "" ? "the job" : name;
}

/** A hint on how to write the typed value; empty where that is unknown. */
function correction(expected: string, path: Path, input: unknown, source: Source): string {
  const typed = source.typed(path);
  switch (expected) {
    case "boolean":
      return "Write true or false.";
    case "number":
    case "int":
      return typeof input === "string" && /^\d{1,15}(?:\.\d{1,15})?$/.test(input)
        ? `Write it without quotes: ${input}.`
        : "";
    case "string": {
      if (typed === undefined || !["number", "boolean"].includes(typeof input)) return "";
      const pattern = property(schemaAt(path, source.data), "pattern");
      if (pattern === DURATION_PATTERN.source) {
        return /^\d/.test(typed) && DURATION_PATTERN.test(`${typed}s`)
          ? `A duration is a number and a unit: "${typed}s".`
          : 'A duration is a number and a unit, such as "90s".';
      }
      if (typeof pattern === "string" && !new RegExp(pattern).test(typed)) return RULES.get(pattern) ?? "";
      return `Put it in quotes: "${typed}".`;
    }
    default:
      return "";
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a mapping" : article(typeof value);
}

function article(type: string): string {
  if (type === "object" || type === "record") return "a mapping";
  if (type === "array") return "a list";
  if (type === "int") return "a whole number";
  return `a ${type}`;
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const segment of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, segment);
  }
  return value;
}

/** The fields that the schema knows at `path`. */
function fieldsAt(path: Path, data: unknown): string[] {
  const properties = property(schemaAt(path, data), "properties");
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}

/** The JSON Schema at `path`. In a union it takes the option whose `type` is that of the data. */
function schemaAt(path: Path, data: unknown): unknown {
  let schema: unknown = jobJsonSchema();
  let value = data;
  const enter = (): void => {
    const options = property(schema, "oneOf") ?? property(schema, "anyOf");
    if (!Array.isArray(options)) return;
    const type = property(value, "type");
    schema = options.find((option) => property(property(property(option, "properties"), "type"), "const") === type);
  };
  enter();
  for (const segment of path) {
    schema =
      typeof segment === "number" ? property(schema, "items") : property(property(schema, "properties"), segment);
    value = property(value, segment);
    enter();
  }
  return schema;
}

function property(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
