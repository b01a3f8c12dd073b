// A tool: what the model may call, as one object. The loop knows nothing else about tools.
import * as z from "zod";
import type { Span } from "../../tracing/tracer.ts";
import type { ToolPeers } from "./peers.ts";

/** What a running tool may know and use. */
export interface ToolCall {
  /** The `tool_use` id. */
  readonly id: string;
  /** The same for every repetition of this call after a crash, and for no other call: services that take one do nothing twice. */
  readonly idempotencyKey: string;
  /** Aborts when the task is canceled or its wall time is spent. */
  readonly signal: AbortSignal;
  /** The id of the agent that runs the tool. */
  readonly agent: string;
  /** The agent's `config` of the job file. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The Worker's bindings. */
  readonly env: Readonly<Record<string, unknown>>;
  readonly contextId: string;
  readonly taskId: string;
  /** The agents that this one may ask. */
  readonly peers: ToolPeers;
  /** The call's own span: a tool may add attributes and events. */
  readonly span: Span;
}

export interface ToolAnnotations {
  /** Changes nothing outside the conversation. */
  readonly readOnly: boolean;
  /** May be run twice with the same input without doing more than once. */
  readonly idempotent: boolean;
  /** Finds or asks other agents. */
  readonly communication?: true | undefined;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema (2020-12) of the input object. */
  readonly inputSchema: Record<string, unknown>;
  readonly annotations: ToolAnnotations;
  /** Milliseconds one call may take; 60,000 when left out, null for no limit but the task's own. */
  readonly limitMs?: number | null;
  /** Its input is what it asks another agent (`agent`, `message`): as that was put it is gone on with. */
  readonly asksItsInput?: true;
  /**
   * Validates `input`, then runs. Resolves to the text of the `tool_result`.
   * Throws ToolInputError when the input does not fit the schema; whatever else it throws becomes an `is_error` result.
   */
  run(input: unknown, call: ToolCall): Promise<string>;
}

/** Whether a call that was cut off, or whose peer has asked back, may be run again. */
export function mayRepeat({ annotations }: Pick<Tool, "annotations">): boolean {
  return annotations.readOnly || annotations.idempotent;
}

/** The model's input did not fit the tool's schema; the message says where and how. */
class ToolInputError extends Error {
  override readonly name = "ToolInputError";
}

/** Whether it was the model that made the mistake, not the tool. */
export function isInputError(error: unknown): boolean {
  return error instanceof ToolInputError;
}

interface ToolDefinition<Input extends z.ZodType> {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  readonly annotations: ToolAnnotations;
  readonly limitMs?: number | null;
  readonly asksItsInput?: true;
  run(input: z.output<Input>, call: ToolCall): Promise<string> | string;
}

/** What an agent's code said of each tool, before what is not known of it was dropped. */
const written = new WeakMap<Tool, object>();

/** A tool as its author wrote it, so that a misspelt field can be told. */
export function writtenFields(tool: Tool): object {
  return written.get(tool) ?? tool;
}

/** Makes a Tool of a zod schema and a function. */
export function defineTool<Input extends z.ZodType>(definition: ToolDefinition<Input>): Tool {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(definition.input, { io: "input" });
  const tool: Tool = {
    name: definition.name,
    description: definition.description,
    inputSchema,
    annotations: definition.annotations,
    ...(definition.limitMs === undefined ? {} : { limitMs: definition.limitMs }),
    ...(definition.asksItsInput ? { asksItsInput: true } : {}),
    async run(input, call) {
      const parsed = definition.input.safeParse(input);
      if (!parsed.success) {
        throw new ToolInputError(
          `The input of ${definition.name} does not fit its schema:\n${z.prettifyError(parsed.error)}`,
        );
      }
      return definition.run(parsed.data, call);
    },
  };
  written.set(tool, definition);
  return tool;
}
