// What `wrangler tail --format json` tells of one invocation of a Worker, as lines of a log. Pure.
// https://developers.cloudflare.com/workers/runtime-apis/handlers/tail/
import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";
import { loggedLine } from "../../local/logs.ts";
import type { LogLine } from "../../target.ts";

const Moment = z.number();
const TailEvent = z.object({
  outcome: z.string(),
  eventTimestamp: z.nullable(Moment).catch(null),
  logs: z.array(z.object({ message: z.unknown(), level: z.string(), timestamp: Moment })),
  exceptions: z.array(
    z.object({
      name: z.string(),
      message: z.unknown(),
      timestamp: Moment,
      stack: z.optional(z.string()).catch(undefined),
    }),
  ),
});

/** An invocation that ends so has said by itself what there is to say. */
const TOLD: ReadonlySet<string> = new Set(["ok", "canceled", "exception", "responseStreamDisconnected", "unknown"]);

/** The lines of an event, in their order; none for a text that is no event. */
export function linesOf(text: string, agent: string): LogLine[] {
  const { data } = TailEvent.safeParse(parseJson(text));
  if (data === undefined) return [];
  const { outcome, eventTimestamp, logs, exceptions } = data;
  const said = logs.map(({ message, level, timestamp }) =>
    loggedLine({ time: timestamp, level, said: wordsOf(message) }, agent),
  );
  const thrown = exceptions.map(({ name, message, timestamp, stack }) => {
    const words = [`${name}: ${wordsOf(message)}`, ...(stack === undefined ? [] : [stack])].join("\n");
    return loggedLine({ time: timestamp, level: "error", said: words }, agent);
  });
  const end = TOLD.has(outcome)
    ? []
    : [loggedLine({ time: eventTimestamp, level: "error", said: `Cloudflare ended the Worker: ${outcome}.` }, agent)];
  return [...said, ...thrown, ...end];
}

/** As a console writes what it is given. */
function wordsOf(message: unknown): string {
  const parts: readonly unknown[] = Array.isArray(message) ? message : [message];
  return parts.map((part) => (typeof part === "string" ? part : (JSON.stringify(part) ?? "undefined"))).join(" ");
}
