// One research question through a deployed research-assistant that forwards its traces, and what Troupe itself has of the trace.
import assert from "node:assert/strict";
import { join } from "node:path";

import { vi } from "vitest";
import * as z from "zod";

import { A2A, RESOURCE, TROUPE } from "#shared/tracing/names.ts";
import { KIND, type ResourceSpans } from "#shared/tracing/otlp.ts";

import { findControlPlane } from "../../scripts/targets/local/control-plane/control-plane.ts";
import { jobToken } from "../../scripts/targets/local/state/secrets.ts";
import { Answer } from "../e2e/shapes.ts";
import { Deployment } from "./deployment.ts";
import { type FlatSpan, flatSpans } from "./flat-span.ts";

const JOB = "research-assistant";
const QUESTION = "What is workerd?";
/** A trace is sent on once it has been quiet for a moment. */
const SEEN_LIMIT_MS = 30_000;

const Page = z.object({ resourceSpans: z.array(z.custom<ResourceSpans>()), next: z.nullable(z.number()) });

export type Protocol = "http/json" | "http/protobuf";

/** The agents through which it goes. */
export const AGENTS = ["coordinator", "searcher", "summarizer", "fact_checker"];

export class TracedQuestion implements AsyncDisposable {
  readonly traceId: string;
  readonly #deployment: Deployment;

  private constructor(deployment: Deployment, traceId: string) {
    this.#deployment = deployment;
    this.traceId = traceId;
  }

  /** Deploys, asks and has the answer; the trace may still be on its way. */
  static async ask(endpoint: string, protocol: Protocol): Promise<TracedQuestion> {
    const deployment = await Deployment.create({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    });
    try {
      await deployment.succeed("deploy", JOB);
      const { traceId } = Answer.parse(await deployment.json("query", JOB, QUESTION));
      return new TracedQuestion(deployment, traceId);
    } catch (error) {
      await deployment.close();
      throw error;
    }
  }

  /** What Troupe's own store has of the trace so far, by span ids. */
  async stored(): Promise<FlatSpan[]> {
    const controlPlane = await findControlPlane(join(this.#deployment.home, ".troupe"));
    if (!controlPlane) throw new Error("The control plane does not run.");
    const headers = { authorization: `Bearer ${jobToken(controlPlane.secret, JOB)}` };
    const groups: ResourceSpans[] = [];
    for (let after: number | null = 0; after !== null;) {
      const url = `${controlPlane.url}/v1/traces/${this.traceId}/otlp?after=${after}`;
      const response = await fetch(url, { headers });
      if (!response.ok) throw new Error(`GET ${url} answered ${response.status}: ${await response.text()}`);
      const page = Page.parse(await response.json());
      groups.push(...page.resourceSpans);
      after = page.next;
    }
    return flatSpans(groups);
  }

  /** Waits until Troupe has the whole trace and a receiver has a span for each of its; resolves to the spans of both. */
  async seenBy<Span extends { readonly spanId: string }>(receiver: {
    spans(traceId: string): Promise<Span[]>;
  }): Promise<{ stored: FlatSpan[]; shown: Span[] }> {
    return vi.waitFor(
      async () => {
        const stored = await this.stored();
        assert.deepEqual(lacking(stored), []);
        const shown = await receiver.spans(this.traceId);
        assert.deepEqual(idsOf(shown), idsOf(stored));
        return { stored, shown };
      },
      { timeout: SEEN_LIMIT_MS, interval: 100 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deployment.close();
  }
}

/** What these spans still lack of the whole trace, in words; empty once it is whole. */
function lacking(spans: readonly FlatSpan[]): string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const parents = new Set(spans.map(({ parentId }) => parentId));
  const agents = new Set(spans.map(({ resource }) => resource[RESOURCE.serviceName]));
  const roots = spans.filter(({ parentId }) => !ids.has(parentId));
  const open = spans.filter(({ end }) => end === 0n);
  const unheard = spans.filter(
    ({ kind, attributes, spanId }) => kind === KIND.client && A2A.method in attributes && !parents.has(spanId),
  );
  return [
    ...(roots.length === 1 ? [] : [`one root instead of ${roots.length}`]),
    ...AGENTS.filter((agent) => !agents.has(agent)).map((agent) => `spans of ${agent}`),
    ...open.map(({ name }) => `the end of ${name}`),
    ...unheard.map(({ attributes }) => `what was asked of ${String(attributes[TROUPE.target])}`),
  ];
}

function idsOf(spans: readonly { readonly spanId: string }[]): string[] {
  return spans.map(({ spanId }) => spanId);
}
