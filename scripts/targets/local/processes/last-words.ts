// The last lines of a process that ended by itself, the reason first.
import * as z from "zod";
import { parseJson } from "#shared/text/parse-json.ts";

/** The supervisor's line before each start. */
const START = '"supervisor: workerd starts"';
const OF_SUPERVISOR = "supervisor: ";
/** Lines of workerd and the shell that tell no reason. */
const NO_REASON = /^(?:\*{3} .{0,80} \*{3}|stack: .*|Killed|Terminated)$/;
const MOST = 5;

const Entry = z.object({ level: z.string().optional(), message: z.unknown() });

/**
 * The end of a log → at most five lines of the last process, each once and without its stack: first plain text, which workerd writes
 * when it dies, then errors, the latest first, then other lines.
 */
export function lastWords(text: string): string[] {
  const start = text.lastIndexOf(START);
  const own = start < 0 ? text : text.slice(text.indexOf("\n", start) + 1);
  const entries = own.split("\n").flatMap(read);
  const ofRank = (rank: Rank) => entries.filter((entry) => entry.rank === rank).map(({ message }) => message);
  return [...new Set([...ofRank("plain"), ...ofRank("error").toReversed(), ...ofRank("other")])].slice(0, MOST);
}

type Rank = "plain" | "error" | "other";

function read(line: string): { message: string; rank: Rank }[] {
  const entry = Entry.safeParse(parseJson(line)).data;
  const lines = String(entry === undefined ? line : entry.message).split("\n");
  const message = lines.find((each) => each.trim() !== "" && !NO_REASON.test(each));
  if (message === undefined || message.startsWith(OF_SUPERVISOR) || isEngineRemark(message)) return [];
  if (entry === undefined) return [{ message, rank: "plain" }];
  return [{ message, rank: entry.level === "error" ? "error" : "other" }];
}

/** Whether a line is an internal remark of workerd, which is no cause for alarm. */
export function isEngineRemark(message: string): boolean {
  return message.startsWith("NOSENTRY ");
}
