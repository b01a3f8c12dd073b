// What answers the control plane's health probes in tests: agents under `http://<behaviour>.agent.test`. A Worker of its own, because
// a probe is given up after two seconds, and this process may be busy for longer.

/** `up.` answers 200, `moved.` redirects to an agent that is up, everything else answers 503. */
const SCRIPT = `export default {
  fetch(request) {
    const { hostname } = new URL(request.url);
    if (hostname.startsWith("up.")) return Response.json({ status: "ok" });
    if (hostname.startsWith("moved.")) {
      return new Response(null, { status: 302, headers: { location: "http://up.agent.test/health" } });
    }
    return new Response("down", { status: 503 });
  },
};`;

export const probedAgents = { name: "probed-agents", modules: true, script: SCRIPT, compatibilityDate: "2026-10-15" };
