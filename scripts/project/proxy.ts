// A proxy of the environment (NODE_USE_ENV_PROXY, --use-env-proxy) is for other machines: what runs on this one is asked directly.

/** As Node compares them; an IPv6 address stands in brackets. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Adds this machine to NO_PROXY, which Node's fetch reads again when it changes; processes started from here inherit it. */
export function keepLoopbackDirect(environment: NodeJS.ProcessEnv): void {
  // The name in small letters wins where it is set, and be it to nothing.
  for (const name of environment["no_proxy"] === undefined ? ["NO_PROXY"] : ["no_proxy", "NO_PROXY"]) {
    const own = environment[name] ?? "";
    if (own.trim() === "*") continue;
    const missing = LOOPBACK.filter((host) => !own.split(/[,\s]/).includes(host));
    environment[name] = [...(own === "" ? [] : [own]), ...missing].join(",");
  }
}
