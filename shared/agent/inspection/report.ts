// The report on an agent's definition, for the check of a job: its flaws, and the agent's tools in this job. A workerd of its own makes it
// (scripts/inspection), never an agent that runs.
import * as z from "zod";

const Flaw = z.object({
  message: z.string(),
  /** What to do; empty when the message says it all. */
  hint: z.string(),
  /** A name in the source at the flaw; null where there is none. */
  quote: z.nullable(z.string()),
  /** Which of the places with that name, from 1. */
  nth: z.int().positive(),
  /** The stack of a flaw that was thrown; else null. */
  stack: z.nullable(z.string()),
});

/** A flaw of the `config` that a job gives the agent. */
const ConfigFlaw = z.object({
  /** Path below `config`. */
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
  /** Field of the input → its allowed texts, or whether it may have any text; null where any field may come. */
  fields: z.nullable(z.record(z.string(), z.union([z.boolean(), z.array(z.string())]))),
  /** The model's API runs it. */
  server: z.boolean(),
});

export const AgentReport = z.object({
  flaws: z.array(Flaw),
  config: z.array(ConfigFlaw),
  /** Null where the tools cannot be known because of a flaw. */
  tools: z.nullable(z.array(InspectedTool)),
  /** Whether its hooks may ask a person about a tool. */
  hooksMayAsk: z.boolean(),
  hasCanUseTool: z.boolean(),
});

export type Flaw = Readonly<z.infer<typeof Flaw>>;
export type ConfigFlaw = Readonly<z.infer<typeof ConfigFlaw>>;
export type InspectedTool = Readonly<z.infer<typeof InspectedTool>>;
export type AgentReport = Readonly<z.infer<typeof AgentReport>>;

/** The property of an agent's handler that inspects it. No request reaches it, only code that loads the module. */
export const INSPECT = Symbol.for("troupe.inspect");
/** Set before a module is loaded for inspection: then a definition reports flaws instead of throwing. */
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
