// The accounts of queries as sessions of the test agent see them that are to have one: what is open, by the lives that opened it.
import type { AgentEnv } from "#shared/agent/env.ts";

interface Told {
  readonly task: string;
  readonly life: number;
  readonly id: string;
  readonly maxTokens: number;
}

/** By the name of their object, the calls that nobody has settled. */
export const openCalls = new Map<string, { readonly id: string; readonly life: number }[]>();

/** The environment of an agent whose job sets queries a limit, where this object's calls are to be watched. */
export function withAccount(name: string, env: AgentEnv): AgentEnv {
  if (!openCalls.has(name)) return env;
  const controlPlane = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname } = new URL(url);
    if (!pathname.startsWith("/v1/budgets/")) return env.CONTROL_PLANE.fetch(url, init);
    // SAFETY: the only client is the one under test, and a body that does not fit fails the test.
    const { id, life, maxTokens } = JSON.parse(String(init.body)) as Told;
    const open = openCalls.get(name) ?? [];
    switch (pathname.slice("/v1/budgets/".length)) {
      case "reserve":
        openCalls.set(name, [...open.filter((call) => call.life >= life), { id, life }]);
        return Response.json({ granted: { maxTokens } });
      case "cut-earlier-lives":
        openCalls.set(
          name,
          open.filter((call) => call.life >= life),
        );
        return new Response(null, { status: 204 });
      case "tool-calls":
        return Response.json({ ok: true });
      default:
        openCalls.set(
          name,
          open.filter((call) => call.id !== id),
        );
        return new Response(null, { status: 204 });
    }
  };
  const queryBudget = { maxTokens: 1_000_000 };
  return {
    ...env,
    AGENT: { ...Object(env.AGENT), queryBudget },
    CONTROL_PLANE: fetcher(env.CONTROL_PLANE, controlPlane),
  };
}

type Fetch = Pick<Fetcher, "fetch">;

function fetcher(real: Fetch, fetch: (url: string, init: RequestInit) => Promise<Response>): Fetch {
  return new Proxy(real, { get: (target, key) => (key === "fetch" ? fetch : Reflect.get(target, key)) });
}
