// The OpenTelemetry Collector, put together by its own builder from the OTLP receiver and the file exporter. It has no UI: what it
// received is what it writes.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as z from "zod";

import type { ResourceSpans } from "#shared/tracing/otlp.ts";

import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { type FlatSpan, flatSpans } from "../support/flat-span.ts";
import { Program } from "./program.ts";
import { CACHE, exists, fetching, running } from "./toolchain.ts";

export const COLLECTOR_VERSION = "0.159.0";

const CORE = "go.opentelemetry.io/collector";
const CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib";
const Line = z.object({ resourceSpans: z.array(z.custom<ResourceSpans>()) });

/** Resolves to the program's path. Throws Unreachable where Go or its modules are. */
export async function buildCollector(): Promise<string> {
  const folder = join(CACHE, `collector-${COLLECTOR_VERSION}`);
  const program = join(folder, "otelcol");
  if (await exists(program)) return program;
  const sources = join(folder, "sources");
  const manifest = {
    dist: { name: "otelcol", module: "troupe.invalid/otelcol", output_path: sources },
    receivers: [{ gomod: `${CORE}/receiver/otlpreceiver v${COLLECTOR_VERSION}` }],
    exporters: [{ gomod: `${CONTRIB}/exporter/fileexporter v${COLLECTOR_VERSION}` }],
  };
  await mkdir(folder, { recursive: true });
  // JSON is YAML.
  await writeFile(join(folder, "manifest.yaml"), JSON.stringify(manifest));
  const builder = `${CORE}/cmd/builder@v${COLLECTOR_VERSION}`;
  const args = ["run", builder, "--config", join(folder, "manifest.yaml"), "--skip-compilation"];
  await fetching({ program: "go", args });
  await running({
    program: "go",
    args: ["build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", program, "."],
    cwd: sources,
  });
  return program;
}

export class Collector implements AsyncDisposable {
  readonly endpoint: string;
  readonly #program: Program;
  readonly #folder: string;

  private constructor(endpoint: string, program: Program, folder: string) {
    this.endpoint = endpoint;
    this.#program = program;
    this.#folder = folder;
  }

  static async start(path: string): Promise<Collector> {
    const [port] = await freePorts(1);
    const folder = await mkdtemp(join(tmpdir(), "troupe-collector-"));
    const config = {
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      exporters: { file: { path: join(folder, "traces.jsonl"), flush_interval: "100ms" } },
      service: {
        telemetry: { metrics: { level: "none" } },
        pipelines: { traces: { receivers: ["otlp"], exporters: ["file"] } },
      },
    };
    await writeFile(join(folder, "config.yaml"), JSON.stringify(config));
    const endpoint = `http://127.0.0.1:${port}`;
    const program = await Program.start(path, ["--config", join(folder, "config.yaml")], [endpoint]);
    return new Collector(endpoint, program, folder);
  }

  /** What it has written of this trace so far, by span ids. */
  async spans(traceId: string): Promise<FlatSpan[]> {
    const text = await readFile(join(this.#folder, "traces.jsonl"), "utf8");
    // What follows the last line's end is still being written.
    const lines = text.split("\n").slice(0, -1);
    const groups = lines.flatMap((line) => Line.parse(JSON.parse(line)).resourceSpans);
    return flatSpans(groups).filter((span) => span.traceId === traceId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
