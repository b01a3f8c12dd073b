// What all search providers share, and the request of those over HTTP.
import { parseJson } from "#shared/text/parse-json.ts";
import type * as z from "zod";
import type { ToolCall } from "#shared/loop/tools/tool.ts";
import type { Passage } from "#shared/retrieval/passages.ts";
import { readBytes } from "#shared/http/read-body.ts";
import { timeLimit } from "#shared/resilience/stopwatch.ts";

/** Finds at most `limit` passages, best first. Throws an Error that tells the user what to repair. */
export type Search = (query: string, limit: number, call: ToolCall) => Promise<Passage[]>;

const TIME_LIMIT_MS = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;

/** A request to a search service. */
export interface ServiceRequest {
  /** The service's name in messages. */
  readonly name: string;
  readonly url: URL;
  readonly headers?: Record<string, string>;
  readonly network: Pick<typeof globalThis, "fetch">;
  readonly signal: AbortSignal;
}

/** Calls a service and parses its answer. Does not follow redirects: a search service has one address. */
export async function askService<Schema extends z.ZodType>(
  request: ServiceRequest,
  schema: Schema,
): Promise<z.output<Schema>> {
  const { name, url, headers, network, signal } = request;
  const response = await network
    .fetch(url.href, {
      headers: { accept: "application/json", ...headers },
      redirect: "manual",
      signal: AbortSignal.any([signal, timeLimit(TIME_LIMIT_MS)]),
    })
    .catch(() => {
      signal.throwIfAborted();
      throw new Error(`${name} cannot be reached at ${url.origin}. Check the agent's search settings.`);
    });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${name} answered ${response.status}${HINTS[response.status] ?? ""}.`);
  }
  const bytes = await readBytes(response.body, MAX_BYTES);
  const answer = schema.safeParse(bytes === "too-large" ? undefined : parseJson(new TextDecoder().decode(bytes)));
  if (!answer.success)
    throw new Error(`${name} sent an answer that is not its JSON format. Check the agent's search settings.`);
  return answer.data;
}

const HINTS: Record<number, string> = {
  401: ": its key is missing or wrong",
  403: ": it refuses the request (SearXNG needs the format json in its settings, Brave a valid key)",
  422: ": its key is missing or wrong",
  429: ": too many searches, try again later",
};

/** Removes tags and decodes entities of a result's snippet. */
export function plainText(html: string): string {
  const entities: Record<string, string> = {
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    "#39": "'",
    "#x27": "'",
    nbsp: " ",
  };
  return html
    .replace(/<[^<>]*>/g, "")
    .replace(/&(#?\w+);/g, (entity, name: string) => entities[name.toLowerCase()] ?? entity)
    .trim();
}
