// The configuration with which `workerd test` asks agents on a host: it is the only HTTP client that is surely there.
import { COMPATIBILITY_DATE, quote } from "../../local/processes/capnp.ts";

/** Asks each agent's /health until all have answered, for a minute at most. */
const MODULE = `
export default {
  async test(_, { URLS }) {
    const until = Date.now() + 60_000;
    await Promise.all(URLS.map((url) => answered(url, until)));
  },
};
async function answered(url, until) {
  while (!(await isHealthy(url))) {
    if (Date.now() > until) throw new Error("No answer");
    await scheduler.wait(50);
  }
}
function isHealthy(url) {
  return fetch(url + "/health", { signal: AbortSignal.timeout(5_000) }).then(
    (response) => response.arrayBuffer().then(() => response.ok),
    () => false,
  );
}
`;

/** `urls`: origins of agents on the loopback. */
export function wakeConfig(urls: readonly string[]): string {
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "network", network = (allow = ["public", "private"])),
    (name = "wake", worker = (
      modules = [(name = "index.js", esModule = ${quote(MODULE)})],
      compatibilityDate = ${quote(COMPATIBILITY_DATE)},
      globalOutbound = "network",
      bindings = [(name = "URLS", json = ${quote(JSON.stringify(urls))})])),
  ],
);
`;
}
