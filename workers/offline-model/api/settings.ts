// Reads how a call should behave from the header `x-offline-settings` (JSON): delay, pace and fault.
import * as z from "zod";

export const FAULTS = [
  "401",
  "403",
  "429",
  "500",
  "529",
  "cut",
  "stall",
  "malformed",
  "error_event",
  "garbage_tool_input",
] as const;

const Settings = z.strictObject({
  /** Milliseconds until the first byte of the answer. */
  ttftMs: z.number().nonnegative().max(600_000).default(0),
  /** 0 means as fast as the client reads. */
  tokensPerSecond: z.number().nonnegative().default(0),
  fault: z.nullable(z.enum(FAULTS)).default(null),
});

export type Settings = z.infer<typeof Settings>;
export type Fault = (typeof FAULTS)[number];

/** The last header that was right: an agent sends the same one with every call. */
let last: { readonly header: string | null; readonly settings: Settings } | undefined;

/** Parses the header. Without one: no delay and no fault. `error` says what is wrong. */
export function readSettings(header: string | null): { settings: Settings } | { error: string } {
  if (last?.header === header) return last;
  const read = parseSettings(header);
  if ("settings" in read) last = { header, ...read };
  return read;
}

function parseSettings(header: string | null): { settings: Settings } | { error: string } {
  let value: unknown = {};
  try {
    if (header !== null) value = JSON.parse(header);
  } catch {
    // The parser's message lacks the header's name.
    return { error: "x-offline-settings: not JSON" };
  }
  const parsed = Settings.safeParse(value);
  if (parsed.success) return { settings: parsed.data };
  return { error: `x-offline-settings: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}` };
}
