// A tool that the model may call. The loop knows nothing else about tools.
import type { Artifact } from "@a2a-js/sdk";
import * as z from "zod";
import type { Span } from "../../tracing/tracer.ts";
import type { ToolPeers } from "./peers.ts";

/** What a running tool gets beside its input. */
export interface ToolCall {
  /** The `tool_use` id. */
  readonly id: string;
  /** The same when this call runs again after a crash, and different for every other call: for services that take such a key. */
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
  /**
   * Gives the task an artifact beside its answer (A2A 1.0, section 4.1.7), such as a file. One with the same id replaces it, so a call that
   * runs again leaves one. Throws RangeError for one of more than 1.8 MB.
   */
  readonly artifact: (artifact: Artifact) => void;
}

export interface ToolAnnotations {
  /** Changes nothing outside the conversation. */
  readonly readOnly: boolean;
  /** Running it twice with the same input has the effect of running it once. */
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
  /** Its input is its question to another agent (`agent`, `message`): when the call runs again, it asks what it asked before. */
  readonly asksItsInput?: true;
  /**
   * Validates `input`, then runs. Resolves to the text of the `tool_result`.
   * Throws ToolInputError when the input does not fit the schema. Any other error becomes an `is_error` result.
   */
  run(input: unknown, call: ToolCall): Promise<string>;
}

/** Whether a call may run again after it was cut off, or after its peer asked back. */
export function mayRepeat({ annotations }: Pick<Tool, "annotations">): boolean {
  return annotations.readOnly || annotations.idempotent;
}

/** The model's input does not fit the tool's schema. The message says where and how. */
class ToolInputError extends Error {
  override readonly name = "ToolInputError";
}

/** Whether the model made the mistake, not the tool. */
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

/** The fields of each tool as its author wrote them, unknown ones included. */
const written = new WeakMap<Tool, object>();

/** The fields of a tool as its author wrote them: a misspelt one can be reported. */
export function writtenFields(tool: Tool): object {
  return written.get(tool) ?? tool;
}

/** Makes a tool of a zod schema and a function. */
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
