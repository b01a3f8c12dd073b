// The first Worker of `troupe dev`, the only one with an address: hands each request on to the Worker that its path names. It opens no
// gate: its bindings have no props, so each Worker looks at the request as if it had come to it directly.
import { problem, problemResponse } from "#shared/http/problem.ts";
import { isFetcher } from "#shared/http/reach.ts";

type Env = Readonly<Record<string, unknown>>;

const MOUNT = /^\/(?:agents\/([a-z0-9_]+)|control-plane)(?=\/|$)/;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const [mount = "", agent] = MOUNT.exec(url.pathname) ?? [];
    const worker = env[agent === undefined ? "CONTROL_PLANE" : `AGENT_${agent.toUpperCase()}`];
    if (mount === "" || !isFetcher(worker)) {
      const detail = `${url.pathname} is not served here. Agents are at /agents/<id>/, the control plane is at /control-plane/.`;
      return problemResponse(problem("not-found", detail));
    }
    url.pathname = url.pathname.slice(mount.length);
    return worker.fetch(new Request(url, request), { redirect: "manual" });
  },
};
