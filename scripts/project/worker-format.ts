import type { BuildOptions } from "esbuild";

/** What esbuild makes of a Worker's module, whoever builds it: one file that workerd takes. */
export const WORKER_FORMAT = {
  bundle: true,
  format: "esm",
  target: "es2024",
  platform: "browser",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*", "node:*"],
} as const satisfies BuildOptions;
