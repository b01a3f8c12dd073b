// What a process that ended by itself said of the reason: only its own lines, and what went wrong first.
import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";

import { isEngineRemark } from "./logs.ts";

/** The supervisor's line before each start. */
const START = '"supervisor: workerd starts"';
const MOST = 5;

const Entry = z.object({ level: z.string().optional(), message: z.unknown() });

/** The end of a log → at most five lines of the process that wrote last, errors first, each once, without stacks. */
export function lastWords(text: string): string[] {
  const start = text.lastIndexOf(START);
  const own = start < 0 ? text : text.slice(text.indexOf("\n", start) + 1);
  const entries = own.split("\n").flatMap(read);
  const errors = entries.filter(({ isError }) => isError);
  const others = entries.filter(({ isError }) => !isError);
  return [...new Set([...errors, ...others.slice(-MOST)].map(({ message }) => message))].slice(0, MOST);
}

function read(line: string): { message: string; isError: boolean }[] {
  if (line.trim() === "") return [];
  const entry = Entry.safeParse(parseJson(line)).data;
  // What workerd prints before its logging is set up is plain text.
  const said = entry === undefined ? line : String(entry.message);
  const [first = ""] = said.split("\n", 1);
  const isOwn = !isEngineRemark(said) && !said.startsWith("supervisor: ") && !/^\s+at /.test(first);
  return isOwn && first.trim() !== ""
    ? [{ message: first, isError: entry === undefined || entry.level === "error" }]
    : [];
}
