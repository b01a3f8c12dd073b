// The internet outside of the account, as a function of the test.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

/** Answers what goes to no Worker of the account. */
export type Internet = (request: Request) => Promise<Response>;

export const NO_INTERNET: Internet = async ({ url }) =>
  new Response(`There is no internet here: ${url}`, { status: 502 });

export async function answerByInternet(
  internet: Internet,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET" } = request;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const body = method === "GET" || method === "HEAD" ? null : (Readable.toWeb(request) as ReadableStream<Uint8Array>);
  const init = { method, headers, body, duplex: "half", signal: gone.signal };
  const answer = await internet(new Request(url, init));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.flushHeaders();
  for await (const piece of answer.body ?? []) {
    if (gone.signal.aborted) return;
    response.write(piece);
  }
  response.end();
}
