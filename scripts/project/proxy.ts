// Keeps requests to this machine away from a proxy of the environment (NODE_USE_ENV_PROXY, --use-env-proxy).

/** In the form that Node compares: an IPv6 address has brackets. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Adds this machine to NO_PROXY. Node's fetch notices the change, and child processes inherit it. May be repeated. */
export function keepLoopbackDirect(environment: NodeJS.ProcessEnv): void {
  // The lower-case name wins where it is set, even if it is empty.
  for (const name of environment["no_proxy"] === undefined ? ["NO_PROXY"] : ["no_proxy", "NO_PROXY"]) {
    const own = environment[name] ?? "";
    if (own.trim() === "*") continue;
    const missing = LOOPBACK.filter((host) => !own.split(/[,\s]/).includes(host));
    environment[name] = [...(own === "" ? [] : [own]), ...missing].join(",");
  }
}
