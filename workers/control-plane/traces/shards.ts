// Finds the Traces object of a trace, and stores spans of several traces. Each job has objects of its own, so no token
// reaches another job's traces.
import type { ResourceSpans } from "#shared/tracing/otlp.ts";
import type { Env } from "../env.ts";
import { readExport } from "./otlp/read-export.ts";
import { Rejections } from "./otlp/rejections.ts";
import type { Source, SpanBatch, SpanRecord } from "./otlp/span-record.ts";
import type { LostAgent, TracesRpc } from "../rpc.ts";

/** Never change this where traces are stored: they would not be found. */
export const SHARDS = 2;

/** Limits of one call: RPC takes 32 MiB, and a long transaction holds up all others. */
const MAX_SPANS = 5000;
const MAX_CHARACTERS = 4_000_000;

export type TraceShard = DurableObjectStub<TracesRpc>;
type Namespace = Pick<Env, "TRACES">;

export function shardOf(env: Namespace, job: string, traceId: string): TraceShard {
  return stub(env, job, indexOf(traceId));
}

export function allShards(env: Namespace, job: string): TraceShard[] {
  return Array.from({ length: SHARDS }, (_, index) => stub(env, job, index));
}

/** Stores spans of any traces. Resolves to the rejections once the spans are on disk. */
export async function storeSpans(env: Namespace, job: string, { sources, spans }: SpanBatch): Promise<Rejections> {
  const byShard = Array.from({ length: SHARDS }, (): SpanRecord[] => []);
  for (const span of spans) byShard[indexOf(span.traceId)]?.push(span);
  const rejected = new Rejections();
  const lists = await Promise.all(byShard.map(async (own, index) => storeIn(stub(env, job, index), own, sources)));
  for (const { count, reasons } of lists.flat()) rejected.addAll(count, reasons);
  return rejected;
}

async function storeIn(shard: TraceShard, spans: readonly SpanRecord[], sources: readonly Source[]) {
  const rejected: { readonly count: number; readonly reasons: readonly string[] }[] = [];
  // In order: a span's start must not replace its end.
  for (const part of parts(spans, sources)) rejected.push(await shard.store(withSources(part, sources)));
  return rejected;
}

/** Stores spans that the control plane made. Throws when one is refused. */
export async function storeOwnSpans(
  env: Namespace,
  job: string,
  resourceSpans: readonly ResourceSpans[],
): Promise<void> {
  const read = readExport({ resourceSpans }, Date.now());
  if (!read.ok) throw new Error(read.message);
  const rejected = await storeSpans(env, job, read.batch);
  rejected.addAll(read.rejected.count, read.rejected.reasons);
  if (rejected.count > 0) throw new Error(rejected.toString());
}

/** Closes open spans of a lost agent in all shards (see Traces.closeOpen). Resolves to their number. */
export async function closeOpenSpans(env: Namespace, job: string, lost: LostAgent): Promise<number> {
  const counts = await Promise.all(allShards(env, job).map(async (shard) => shard.closeOpen(lost)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function stub(env: Namespace, job: string, index: number): TraceShard {
  return env.TRACES.getByName(`${job}/${index}`);
}

/**
 * Uses the end of the id, which is random in any case (https://www.w3.org/TR/trace-context-2/#random-trace-id-flag).
 */
function indexOf(traceId: string): number {
  return Number.parseInt(traceId.slice(-4), 16) % SHARDS;
}

function* parts(spans: readonly SpanRecord[], sources: readonly Source[]): Generator<SpanRecord[]> {
  let part: SpanRecord[] = [];
  let used = new Set<number>();
  let characters = 0;
  for (const span of spans) {
    const size = span.bytes + (used.has(span.source) ? 0 : sizeOf(sources[span.source]));
    if (part.length === MAX_SPANS || (part.length > 0 && characters + size > MAX_CHARACTERS)) {
      yield part;
      [part, used, characters] = [[], new Set(), 0];
    }
    part.push(span);
    used.add(span.source);
    characters += size;
  }
  if (part.length > 0) yield part;
}

function sizeOf(source: Source | undefined): number {
  return source ? source.resource.length + source.scope.length : 0;
}

/** The spans with only the sources that they use. */
function withSources(spans: readonly SpanRecord[], all: readonly Source[]): SpanBatch {
  const indexes = new Map<number, number>();
  const sources: Source[] = [];
  const renumbered = spans.map((span) => {
    let index = indexes.get(span.source);
    const source = all[span.source];
    if (index === undefined && source) indexes.set(span.source, (index = sources.push(source) - 1));
    return index === span.source ? span : { ...span, source: index ?? span.source };
  });
  return { sources, spans: renumbered };
}
