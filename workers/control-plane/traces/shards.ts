// Which Traces object of a job has which trace. Everything of a job is in its own objects: no token reaches another's.
import type { ResourceSpans } from "#shared/tracing/otlp.ts";
import type { Env } from "../env.ts";
import { readExport } from "./read-export.ts";
import { Rejections } from "./rejections.ts";
import type { SpanBatch, SpanRecord } from "./span-record.ts";
import type { Traces } from "./traces.ts";

/** Never to be changed where there are traces: they would not be found any more. */
export const SHARDS = 4;

/** What one call carries at most: RPC takes 32 MiB, and one transaction should not hold up all others. */
const MAX_SPANS = 5000;
const MAX_CHARACTERS = 4_000_000;

export type TraceShard = DurableObjectStub<Traces>;
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
      for (const part of parts(own)) {
        // In order: a span's end comes after its start
        const { count, reasons } = await stub(env, job, index).store({ sources, spans: part });
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
export async function closeOpenSpans(
  env: Namespace,
  job: string,
  lost: Parameters<Traces["closeOpen"]>[0],
): Promise<number> {
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

function* parts(spans: readonly SpanRecord[]): Generator<SpanRecord[]> {
  let part: SpanRecord[] = [];
  let characters = 0;
  for (const span of spans) {
    if (part.length === MAX_SPANS || (part.length > 0 && characters + span.bytes > MAX_CHARACTERS)) {
      yield part;
      [part, characters] = [[], 0];
    }
    part.push(span);
    characters += span.bytes;
  }
  if (part.length > 0) yield part;
}
