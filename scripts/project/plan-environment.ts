// What this shell and the built Workers add to a job file to make a plan of it.
import type { PlanEnvironment } from "#jobs/plan/plan-shape.ts";

import type { Bundle } from "./build.ts";
import { CliError } from "../terminal/cli-error.ts";

/** Throws CliError where ANTHROPIC_BASE_URL is no address. */
export function planEnvironment(
  bundles: ReadonlyMap<string, Bundle>,
  ports: Readonly<Record<string, number>>,
  environment: NodeJS.ProcessEnv = process.env,
): PlanEnvironment {
  const url = anthropicUrl(environment);
  return {
    hasAnthropicKey: hasKey(environment),
    ...(url === undefined ? {} : { anthropicUrl: url }),
    ports,
    objects: Object.fromEntries([...bundles].map(([worker, { objects }]) => [worker, objects])),
  };
}

/** ANTHROPIC_BASE_URL without the path of the API's own; undefined where it is not set, or no key goes there. Throws CliError. */
export function anthropicUrl(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const text = (environment["ANTHROPIC_BASE_URL"] ?? "").trim();
  if (text === "" || !hasKey(environment)) return undefined;
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlain || !["http:", "https:"].includes(url.protocol)) {
    throw new CliError(
      "bad_input",
      // It may hold a secret: where it is no address, it is not shown.
      `ANTHROPIC_BASE_URL is no address of an API${isPlain ? `: "${text}"` : ""}.`,
      "Write http:// or https://, a host, perhaps a port and a path, and nothing else: https://api.anthropic.com",
    );
  }
  // Other clients want the version in it; ours adds it.
  return url.href.replace(/\/+$/, "").replace(/\/v1(?:\/messages)?$/, "");
}

function hasKey(environment: NodeJS.ProcessEnv): boolean {
  return (environment["ANTHROPIC_API_KEY"] ?? "") !== "";
}
