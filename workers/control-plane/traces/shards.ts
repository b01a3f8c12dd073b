// Which Traces object of a job has which trace. Everything of a job is in its own objects: no token reaches another's.
import type { ResourceSpans } from "#shared/tracing/otlp.ts";
import type { Env } from "../env.ts";
import { readExport } from "./read-export.ts";
import { Rejections } from "./rejections.ts";
import type { Source, SpanBatch, SpanRecord } from "./span-record.ts";
import type { LostAgent, TracesRpc } from "../rpc.ts";

/** Never to be changed where there are traces: they would not be found any more. */
export const SHARDS = 2;

/** What one call carries at most: RPC takes 32 MiB, and one transaction should not hold up all others. */
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

/** Stores spans of any traces; resolves when they are on disk, to what was refused. */
export async function storeSpans(env: Namespace, job: string, { sources, spans }: SpanBatch): Promise<Rejections> {
  const byShard = Array.from({ length: SHARDS }, (): SpanRecord[] => []);
  for (const span of spans) byShard[indexOf(span.traceId)]?.push(span);
  const rejected = new Rejections();
  await Promise.all(
    byShard.map(async (own, index) => {
      for (const part of parts(own, sources)) {
        // In order: a span's end comes after its start
        const { count, reasons } = await stub(env, job, index).store(withSources(part, sources));
        rejected.addAll(count, reasons);
      }
    }),
  );
  return rejected;
}

/** Stores spans that Troupe itself has made. */
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

/** Closes open spans of an agent that is gone, in all shards; see Traces.closeOpen. Resolves to how many. */
export async function closeOpenSpans(env: Namespace, job: string, lost: LostAgent): Promise<number> {
  const counts = await Promise.all(allShards(env, job).map(async (shard) => shard.closeOpen(lost)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function stub(env: Namespace, job: string, index: number): TraceShard {
  return env.TRACES.getByName(`${job}/${index}`);
}

/** By the end of the id: all of it is random, or at least that (https://www.w3.org/TR/trace-context-2/#random-trace-id-flag). */
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

/** The spans, and only the sources that they have. */
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
