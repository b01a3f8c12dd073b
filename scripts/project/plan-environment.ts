// The facts beyond a job file that a plan needs: from this shell and from the built Workers.
import type { PlanEnvironment } from "#jobs/plan/plan-shape.ts";

import type { Bundle } from "./build.ts";
import { CliError } from "../terminal/cli-error.ts";

/** Throws CliError where ANTHROPIC_BASE_URL is not an address. */
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

/** ANTHROPIC_BASE_URL without the API's own path; undefined where the variable or the API key is not set. Throws CliError. */
export function anthropicUrl(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const text = (environment["ANTHROPIC_BASE_URL"] ?? "").trim();
  if (text === "" || !hasKey(environment)) return undefined;
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlain || !["http:", "https:"].includes(url.protocol)) {
    throw new CliError(
      "bad_input",
      // A value that is no address may be a secret, so it is not shown.
      `ANTHROPIC_BASE_URL is not the address of an API${isPlain ? `: "${text}"` : ""}.`,
      "Write an http or https address without user name, query or fragment, such as https://api.anthropic.com",
    );
  }
  // Other clients expect the version in the address; ours adds it.
  return url.href.replace(/\/+$/, "").replace(/\/v1(?:\/messages)?$/, "");
}

function hasKey(environment: NodeJS.ProcessEnv): boolean {
  return (environment["ANTHROPIC_API_KEY"] ?? "") !== "";
}
