// What an agent's definition tells of itself where a job is checked: what is wrong with it, and the tools that the agent has
// in this job. Made in a workerd of its own (scripts/inspection), never by an agent that runs.
import * as z from "zod";

const Flaw = z.object({
  message: z.string(),
  /** What to do; empty when the message says it all. */
  hint: z.string(),
  /** A name that stands in the source where the flaw is; null where none does. */
  quote: z.nullable(z.string()),
  /** Which of the places with that name, from 1. */
  nth: z.int().positive(),
  /** Where it was thrown; null for what was not. */
  stack: z.nullable(z.string()),
});

/** What is wrong with the `config` that a job gives the agent. */
const ConfigFlaw = z.object({
  /** Below `config`. */
  path: z.array(z.union([z.string(), z.number()])),
  at: z.enum(["key", "value"]),
  message: z.string(),
  hint: z.string(),
});

const InspectedTool = z.object({
  name: z.string(),
  annotations: z.object({
    readOnly: z.boolean(),
    idempotent: z.boolean(),
    communication: z.optional(z.literal(true)),
  }),
  /** Field of the input → the only texts that it can have, or whether it can have any; null where any field may come. */
  fields: z.nullable(z.record(z.string(), z.union([z.boolean(), z.array(z.string())]))),
  /** The model's API runs it. */
  server: z.boolean(),
});

export const AgentReport = z.object({
  flaws: z.array(Flaw),
  config: z.array(ConfigFlaw),
  /** Null where they depend on what is wrong. */
  tools: z.nullable(z.array(InspectedTool)),
  /** Whether its hooks may ask a person about a tool. */
  hooksMayAsk: z.boolean(),
  hasCanUseTool: z.boolean(),
});

export type Flaw = Readonly<z.infer<typeof Flaw>>;
export type ConfigFlaw = Readonly<z.infer<typeof ConfigFlaw>>;
export type InspectedTool = Readonly<z.infer<typeof InspectedTool>>;
export type AgentReport = Readonly<z.infer<typeof AgentReport>>;

/** The property of an agent's handler under which its inspection hangs. No request reaches it: only who loads the module. */
export const INSPECT = Symbol.for("troupe.inspect");
/** Set before a module is loaded to be inspected: then a definition reports what it would throw otherwise. */
const INSPECTED = Symbol.for("troupe.inspected");

export function isInspected(): boolean {
  return Reflect.get(globalThis, INSPECTED) === true;
}

export function flaw(message: string, hint = "", quote: string | null = null, nth = 1): Flaw {
  return { message, hint, quote, nth, stack: null };
}

/** `message` says what failed. */
export function thrownFlaw(message: string, stack: string): Flaw {
  return { ...flaw(message), stack };
}
