// An OpenTelemetry collector for tests, or as many as there are host names under `.collector.test`: takes what it is sent and says
// what it got. Tests tell it how to answer.
import { Response, type Request } from "miniflare";
import type { Collected, CollectorAnswer } from "./collected.ts";

interface Collector {
  /** Each answers one request; when there is none left, the answer is 200. */
  answers: CollectorAnswer[];
  readonly received: Collected[];
}

const collectors = new Map<string, Collector>();

/** PUT sets the coming answers, GET gives what was received. */
export async function testCollector(request: Request): Promise<Response> {
  const { hostname, pathname } = new URL(request.url);
  const collector = collectors.get(hostname) ?? { answers: [], received: [] };
  collectors.set(hostname, collector);
  if (request.method === "PUT") {
    // SAFETY: the only client is a test, which fails if this is something else.
    collector.answers = (await request.json()) as CollectorAnswer[];
    return new Response(null, { status: 204 });
  }
  if (request.method === "GET") return Response.json(collector.received);
  const body = Buffer.from(await request.arrayBuffer());
  const answer = nextAnswer(collector, body);
  collector.received.push({
    path: pathname,
    headers: Object.fromEntries(request.headers),
    body: body.toString("base64"),
    status: answer.status,
  });
  return new Response(answer.body ?? "{}", {
    status: answer.status,
    headers: { "content-type": "application/json", ...answer.headers },
  });
}

function nextAnswer({ answers }: Collector, body: Buffer): CollectorAnswer {
  const [next] = answers;
  if (next?.containing !== undefined) return body.includes(next.containing) ? next : { status: 200 };
  if (next?.overBytes === undefined) return answers.shift() ?? { status: 200 };
  return body.length > next.overBytes ? next : { status: 200 };
}
