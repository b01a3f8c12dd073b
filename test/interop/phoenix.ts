// Arize Phoenix, installed into a virtual environment. It takes protobuf only and keeps of a span what its own conventions know:
// `gen_ai.*` becomes LLM, TOOL and AGENT spans with token counts; resources and kinds are dropped.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as z from "zod";

import { GEN_AI, OPERATION } from "#shared/tracing/names.ts";

import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { bySpanId, type FlatSpan } from "../support/flat-span.ts";
import { Program } from "./program.ts";
import { CACHE, exists, fetching } from "./toolchain.ts";

export const PHOENIX_VERSION = "20.26.1";

const Span = z.object({
  context: z.object({ span_id: z.string() }),
  parent_id: z.nullable(z.string()),
  name: z.string(),
  span_kind: z.string(),
  status_code: z.string(),
  status_message: z.string(),
  start_time: z.string(),
  end_time: z.string(),
  attributes: z.record(z.string(), z.unknown()),
});
const Spans = z.object({ data: z.array(Span), next_cursor: z.nullable(z.string()) });

const Sessions = z.object({
  data: z.array(z.object({ token_count_prompt: z.number(), token_count_completion: z.number() })),
});

/** A span as Phoenix has it; `attributes` are its own and, under the names of OpenInference, what Phoenix made of them. */
export interface PhoenixSpan {
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly message: string;
  /** Microseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Resolves to the program's path. Throws Unreachable where Python or its packages are. */
export async function installPhoenix(): Promise<string> {
  const folder = join(CACHE, `phoenix-${PHOENIX_VERSION}`);
  const [installed, program] = [join(folder, "installed"), join(folder, "bin", "phoenix")];
  if (await exists(installed)) return program;
  await rm(folder, { recursive: true, force: true });
  await fetching({ program: "python3", args: ["-m", "venv", folder] });
  const args = ["-m", "pip", "install", "--quiet", `arize-phoenix==${PHOENIX_VERSION}`];
  await fetching({ program: join(folder, "bin", "python"), args });
  await writeFile(installed, "");
  return program;
}

export class Phoenix implements AsyncDisposable {
  /** Of OTLP, of its API and of its pages. */
  readonly endpoint: string;
  readonly #program: Program;
  readonly #folder: string;

  private constructor(endpoint: string, program: Program, folder: string) {
    this.endpoint = endpoint;
    this.#program = program;
    this.#folder = folder;
  }

  static async start(path: string): Promise<Phoenix> {
    const [port, grpc] = await freePorts(2);
    const folder = await mkdtemp(join(tmpdir(), "troupe-phoenix-"));
    const endpoint = `http://127.0.0.1:${port}`;
    const program = await Program.start(path, ["serve"], [endpoint], {
      PHOENIX_HOST: "127.0.0.1",
      PHOENIX_PORT: String(port),
      PHOENIX_GRPC_PORT: String(grpc),
      PHOENIX_WORKING_DIR: folder,
      PHOENIX_TELEMETRY_ENABLED: "false",
      PHOENIX_ALLOW_EXTERNAL_RESOURCES: "false",
      PHOENIX_DISABLE_AGENT_ASSISTANT: "true",
    });
    return new Phoenix(endpoint, program, folder);
  }

  /** What it has of this trace so far, by span ids. */
  async spans(traceId: string): Promise<PhoenixSpan[]> {
    const response = await fetch(`${this.endpoint}/v1/projects/default/spans?limit=1000&trace_id=${traceId}`);
    const { data, next_cursor: next } = Spans.parse(await response.json());
    if (next !== null) throw new Error("The trace has more spans than Phoenix shows at a time.");
    const spans = data.map((span) => ({
      spanId: span.context.span_id,
      parentId: span.parent_id ?? "",
      name: span.name,
      kind: span.span_kind,
      status: span.status_code,
      message: span.status_message,
      start: microseconds(span.start_time),
      end: microseconds(span.end_time),
      attributes: span.attributes,
    }));
    return bySpanId(spans);
  }

  /** Of each session it has: the tokens of all its traces. */
  async tokens(): Promise<{ input: number; output: number }[]> {
    const response = await fetch(`${this.endpoint}/v1/projects/default/sessions`);
    const { data } = Sessions.parse(await response.json());
    return data.map((session) => ({ input: session.token_count_prompt, output: session.token_count_completion }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const KINDS: Readonly<Record<string, string>> = {
  [OPERATION.chat]: "LLM",
  [OPERATION.executeTool]: "TOOL",
  [OPERATION.invokeAgent]: "AGENT",
};
const STATUSES = ["UNSET", "OK", "ERROR"];

/** The span as Phoenix should have it: its kind from `gen_ai.operation.name`, and tokens, model and session as it names them. */
export function asPhoenixShows(span: FlatSpan): PhoenixSpan {
  const { attributes } = span;
  const read = Object.entries({
    "llm.token_count.prompt": attributes[GEN_AI.inputTokens],
    "llm.token_count.completion": attributes[GEN_AI.outputTokens],
    "llm.model_name": attributes[GEN_AI.requestModel],
    "session.id": attributes[GEN_AI.conversation],
    "tool.name": attributes[GEN_AI.toolName],
  });
  return {
    spanId: span.spanId,
    parentId: span.parentId,
    name: span.name,
    kind: KINDS[String(attributes[GEN_AI.operation])] ?? "UNKNOWN",
    status: STATUSES[span.status] ?? "",
    message: span.message,
    start: span.start / 1000n,
    end: span.end / 1000n,
    attributes: { ...attributes, ...Object.fromEntries(read.filter(([, value]) => value !== undefined)) },
  };
}

/** Microseconds since the epoch of an ISO 8601 time in UTC, whose fraction may be missing. */
function microseconds(time: string): bigint {
  const [, seconds = "", fraction = ""] = /^([^.+]+)(?:\.(\d+))?\+00:00$/.exec(time) ?? [];
  return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0"));
}
