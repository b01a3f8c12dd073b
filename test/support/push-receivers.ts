// Receivers of push notifications for tests in workerd. Each path is one:
//   PUT   how it answers the next notifications, in order (status and headers, or "hang"); after these with 204
//   POST  a notification
//   GET   the notifications that came, with how they were sent
import { Response, type Request } from "miniflare";

export type Answer = { readonly status: number; readonly headers?: Record<string, string> } | "hang";

export interface Came {
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

const receivers = new Map<string, { answers: Answer[]; readonly came: Came[] }>();

export async function pushReceivers(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const receiver = receivers.get(pathname) ?? { answers: [], came: [] };
  receivers.set(pathname, receiver);
  if (request.method === "GET") return Response.json(receiver.came);
  // SAFETY: only tests tell a receiver how to answer.
  if (request.method === "PUT") receiver.answers = (await request.json()) as Answer[];
  if (request.method !== "POST") return new Response(null, { status: 204 });
  receiver.came.push({ headers: Object.fromEntries(request.headers), body: await request.json() });
  const answer = receiver.answers.shift() ?? { status: 204 };
  if (answer === "hang") return new Promise(() => {});
  return new Response(null, answer);
}
