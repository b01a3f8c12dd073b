// The registry as the test agent's Beacon sees it: knows nobody until they register, and forgets when told to.
import { Response, type Request } from "miniflare";

let registered = new Set<string>();
const log: string[] = [];

export async function testControlPlane(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/forget") registered = new Set();
  if (pathname === "/forget" || pathname === "/log") return Response.json(log);
  log.push(`${request.method} ${pathname}`);
  if (pathname === "/agents/register") {
    // SAFETY: the only client is the one under test, and a body that does not fit fails the test.
    const { id } = (await request.json()) as { id: string };
    registered.add(id);
    return Response.json({ id, state: "alive" }, { status: 201 });
  }
  const [, id] = /^\/agents\/(.+)\/heartbeat$/.exec(pathname) ?? [];
  if (id !== undefined && registered.has(id)) return Response.json({ state: "alive" });
  return Response.json({ type: "/problems/unknown-agent" }, { status: 404 });
}
