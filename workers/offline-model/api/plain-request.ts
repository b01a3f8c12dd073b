// Parses requests for a message. Those as agents send them are recognised without the schema, which would take longer
// than the answer. In doubt the schema decides, and says what is wrong.
import type * as z from "zod";
import { MessagesRequest } from "./request.ts";

type Check = (value: unknown) => boolean;
type Fields = Record<string, unknown>;
/** The object as the schema gives it back; undefined in doubt. */
type Reader = (value: unknown) => Fields | undefined;

interface Field {
  readonly name: string;
  readonly check: Check;
  readonly mayBeAbsent?: true;
}

/** Parses a body that nobody else has: puts its fields into the schema's order. */
export function parseMessages(body: unknown): z.ZodSafeParseResult<MessagesRequest> {
  return isPlain(body) ? { success: true, data: body } : MessagesRequest.safeParse(body);
}

/** Leaves `tool_choice` and `output_config` to the schema. */
function isPlain(body: unknown): body is MessagesRequest {
  if (!isRecord(body)) return false;
  for (const name in body) if (FIELDS.get(name)?.(body[name]) === false) return false;
  return "model" in body && "messages" in body && "max_tokens" in body;
}

const isText: Check = (value) => typeof value === "string";
const isName: Check = (value) => typeof value === "string" && value !== "";
const isFlag: Check = (value) => typeof value === "boolean";

const readText = readerOf([
  { name: "type", check: (value) => value === "text" },
  { name: "text", check: isText },
]);
const readToolUse = readerOf([
  { name: "type", check: (value) => value === "tool_use" },
  { name: "id", check: isText },
  { name: "name", check: isText },
  { name: "input", check: isRecord },
]);
const readToolResult = readerOf([
  { name: "type", check: (value) => value === "tool_result" },
  { name: "tool_use_id", check: isText },
  { name: "content", check: isText },
  { name: "is_error", check: isFlag, mayBeAbsent: true },
]);
const readMessage = readerOf([
  { name: "role", check: (value) => value === "user" || value === "assistant" },
  { name: "content", check: (value) => typeof value === "string" || isListOf(readBlock)(value) },
]);
const readTool = readerOf([
  { name: "name", check: isName },
  { name: "description", check: isText, mayBeAbsent: true },
  { name: "input_schema", check: isRecord, mayBeAbsent: true },
]);

/** The known fields of the request itself. */
const FIELDS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["model", isName],
  ["messages", (value) => isListOf(readMessage)(value) && Array.isArray(value) && value.length > 0],
  ["max_tokens", (value) => Number.isSafeInteger(value) && Number(value) > 0],
  ["system", isText],
  ["tools", isListOf(readTool)],
  ["stream", isFlag],
  ["stop_sequences", (value) => Array.isArray(value) && value.every(isText)],
  ["output_config", () => false],
  ["tool_choice", () => false],
]);

function readBlock(value: unknown): Fields | undefined {
  return readText(value) ?? readToolUse(value) ?? readToolResult(value);
}

/** Leaves the items in the list as they were read. */
function isListOf(read: Reader): Check {
  return (list) => {
    if (!Array.isArray(list)) return false;
    for (const [index, item] of list.entries()) {
      const given = read(item);
      if (given === undefined) return false;
      list[index] = given;
    }
    return true;
  };
}

/** Reads objects with these fields, and any others. Ids of answers depend on the order: like the schema, others last. */
function readerOf(fields: readonly Field[]): Reader {
  const places = new Map(fields.map(({ name }, place) => [name, place]));
  const needed = fields.filter(({ mayBeAbsent }) => !mayBeAbsent).length;
  return (value) => {
    if (!isRecord(value)) return undefined;
    let [last, found, isOrdered] = [0, 0, true];
    for (const name in value) {
      const place = places.get(name) ?? fields.length;
      const field = fields[place];
      if (field !== undefined && !field.check(value[name])) return undefined;
      if (field !== undefined && !field.mayBeAbsent) found += 1;
      isOrdered &&= place >= last;
      last = place;
    }
    if (found < needed) return undefined;
    return isOrdered ? value : { ...known(value, fields), ...value };
  };
}

/** The known fields in their order. */
function known(value: Fields, fields: readonly Field[]): Fields {
  const ordered: Fields = {};
  for (const { name } of fields) if (name in value) ordered[name] = value[name];
  return ordered;
}

/** Leaves a field `__proto__` to the schema. */
function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Object.hasOwn(value, "__proto__");
}
