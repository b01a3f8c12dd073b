// Jaeger 2, built from its Go module with storage in memory. The module comes without Jaeger's pages, so it is asked by its API.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as z from "zod";

import type { ResourceSpans } from "#shared/tracing/otlp.ts";

import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { type FlatSpan, flatSpans } from "../support/flat-span.ts";
import { Program } from "./program.ts";
import { CACHE, exists, fetching, running } from "./toolchain.ts";

/** Jaeger 2.13.0: the module's path has no `/v2`, so Go knows the same commit by its last tag of version 1. */
const MODULE = "github.com/jaegertracing/jaeger@v1.76.0";
export const JAEGER_VERSION = "2.13.0";

const Module = z.object({ Dir: z.string() });
const Services = z.object({ services: z.array(z.string()).default([]) });
const Traces = z.object({ result: z.object({ resourceSpans: z.array(z.custom<ResourceSpans>()) }) });

/** Resolves to the program's path. Throws Unreachable where Go or its modules are. */
export async function buildJaeger(): Promise<string> {
  const program = join(CACHE, `jaeger-${JAEGER_VERSION}`, "jaeger");
  if (await exists(program)) return program;
  // Its go.mod replaces modules, so `go install` refuses it: it is built where it lies.
  const { Dir: cwd } = Module.parse(
    JSON.parse(await fetching({ program: "go", args: ["mod", "download", "-json", MODULE] })),
  );
  await fetching({ program: "go", args: ["list", "-deps", "./cmd/jaeger"], cwd });
  const args = ["build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/jaeger"];
  await running({ program: "go", args, cwd });
  return program;
}

export class Jaeger implements AsyncDisposable {
  readonly endpoint: string;
  /** Of its API, and of its pages where there are any. */
  readonly url: string;
  readonly #program: Program;
  readonly #folder: string;

  private constructor(endpoint: string, url: string, program: Program, folder: string) {
    this.endpoint = endpoint;
    this.url = url;
    this.#program = program;
    this.#folder = folder;
  }

  static async start(path: string): Promise<Jaeger> {
    const [otlp, http, grpc] = await freePorts(3);
    const folder = await mkdtemp(join(tmpdir(), "troupe-jaeger-"));
    const config = {
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${otlp}` } } } },
      exporters: { jaeger_storage_exporter: { trace_storage: "memory" } },
      extensions: {
        jaeger_storage: { backends: { memory: { memory: { max_traces: 1000 } } } },
        jaeger_query: {
          storage: { traces: "memory" },
          http: { endpoint: `127.0.0.1:${http}` },
          grpc: { endpoint: `127.0.0.1:${grpc}` },
          // Its traces of itself, for a collector at the default port.
          enable_tracing: false,
        },
      },
      service: {
        extensions: ["jaeger_storage", "jaeger_query"],
        telemetry: { metrics: { level: "none" } },
        pipelines: { traces: { receivers: ["otlp"], exporters: ["jaeger_storage_exporter"] } },
      },
    };
    // JSON is YAML.
    await writeFile(join(folder, "config.yaml"), JSON.stringify(config));
    const [endpoint, url] = [`http://127.0.0.1:${otlp}`, `http://127.0.0.1:${http}`];
    const program = await Program.start(path, ["--config", join(folder, "config.yaml")], [endpoint, url]);
    return new Jaeger(endpoint, url, program, folder);
  }

  /** The services of all traces it has. */
  async services(): Promise<string[]> {
    const response = await fetch(`${this.url}/api/v3/services`);
    return Services.parse(await response.json()).services;
  }

  /** What it has of this trace so far, by span ids. */
  async spans(traceId: string): Promise<FlatSpan[]> {
    const response = await fetch(`${this.url}/api/v3/traces/${traceId}`);
    if (response.status === 404) return [];
    return flatSpans(Traces.parse(await response.json()).result.resourceSpans);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
