// What answers the control plane's health probes in tests: agents under `http://<behaviour>.agent.test`.
import { Response, type Request } from "miniflare";

/** `up.` answers 200, `moved.` redirects to an agent that is up, everything else answers 503. */
export function probedAgents(request: Request): Response {
  const { hostname } = new URL(request.url);
  if (hostname.startsWith("up.")) return Response.json({ status: "ok" });
  if (hostname.startsWith("moved.")) {
    return new Response(null, { status: 302, headers: { location: "http://up.agent.test/health" } });
  }
  return new Response("down", { status: 503 });
}
